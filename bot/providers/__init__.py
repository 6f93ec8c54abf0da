"""External services that are asked about indicators: one file, one sample set, one test each."""
