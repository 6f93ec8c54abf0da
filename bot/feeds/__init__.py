"""Feeds: bytes in, assertions out; pure parsers, a file for each format."""
