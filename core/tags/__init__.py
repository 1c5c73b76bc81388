"""The words of a whole set of captions: counted, judged, and changed everywhere at once."""
