"""The miniature world: the embedded base model, its pictures, the judge of what a LoRA learned."""
