"""Archives and tables of the Pythons that apps get."""
