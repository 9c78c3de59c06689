"""The commands of the setting `commands`: what they make is kept in the store and reused."""
