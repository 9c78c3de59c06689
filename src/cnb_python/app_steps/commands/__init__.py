"""The commands that the app asks for: what they make is kept in the store and reused."""
