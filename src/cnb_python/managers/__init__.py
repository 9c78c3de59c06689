"""Who decides what is installed."""
