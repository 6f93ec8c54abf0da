"""Delivery: digests and summaries on their way, from the moment they are due until they are read once."""
