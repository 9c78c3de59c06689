"""What the user configures: settings by variables and by `[tool.cnb-python]`."""
