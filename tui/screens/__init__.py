"""The screens of the walk: one file each."""
