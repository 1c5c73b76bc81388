"""Names and files of weights: key maps, the kohya format, metadata."""
