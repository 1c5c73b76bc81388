"""A run on disk: its directory, events, lock, control folder and process."""
