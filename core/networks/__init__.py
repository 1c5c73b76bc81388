"""One file per kind of trainable network."""
