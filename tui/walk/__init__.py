"""The walk without a screen: the draft, its steps, and what is known of it. Screens and the plain
questions stand on it; nothing here imports Textual."""
