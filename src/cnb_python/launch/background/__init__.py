"""Finds workers, schedulers and bots, and separates them from `web`."""
