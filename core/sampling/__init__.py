"""Pictures from a base model, with or without networks."""
