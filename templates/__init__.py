"""Presets and the embedded demo: data, no code."""
