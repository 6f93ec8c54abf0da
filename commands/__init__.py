"""What Liaison can be asked in Slack: one file a command."""
