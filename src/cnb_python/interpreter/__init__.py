"""What an unpacked interpreter needs before it can serve an app."""
