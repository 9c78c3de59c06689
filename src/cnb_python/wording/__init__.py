"""The words of families of failures, too many for `messages`."""
