"""The `liaison` command line, a file for each subject."""
