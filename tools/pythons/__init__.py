"""Archives and tables of app interpreters."""
