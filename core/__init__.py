"""Plans and trains; knows no screen."""
