"""The miniature world: the embedded base model, its pictures, and the judge of a LoRA."""
