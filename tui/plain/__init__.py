"""The walk as plain questions, one line each: for screen readers and terminals that cannot draw.
Same draft, same answers, same TOML as the screens."""
