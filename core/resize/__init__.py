"""Copies of pictures, cut and scaled, in a folder of their own; the pictures stay as they are."""
