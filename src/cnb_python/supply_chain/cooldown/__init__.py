"""Requires that releases have been public for a while before they are installed."""
