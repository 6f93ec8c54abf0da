"""Several bots in processes of their own, on one store and one Slack."""
