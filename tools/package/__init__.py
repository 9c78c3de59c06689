"""Assembles the buildpack, its packages and its builder."""
