"""Finds workers, schedulers and bots, and sets them apart from `web`."""
