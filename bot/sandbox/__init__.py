"""The local Slack that comes with Liaison: to try it and to test it."""
