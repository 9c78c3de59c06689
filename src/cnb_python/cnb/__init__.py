"""The CNB spec as types; knows nothing of Python apps."""
