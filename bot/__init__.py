"""Liaison: answers, enriches and digests threat indicators in channels shared with partners."""
