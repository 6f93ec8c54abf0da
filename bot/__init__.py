"""Liaison: answers, enriches and digests threat indicators in channels shared with partners."""

__version__ = "0.1.0"
