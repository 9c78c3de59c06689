"""What service bindings grant a build: indexes, logins, settings of tools, authorities."""
