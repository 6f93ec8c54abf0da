"""Tests of the heart of enrichment."""
