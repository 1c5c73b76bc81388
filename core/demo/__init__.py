<<<<<<< HEAD
"""The miniature world: the embedded base model, its pictures, the judge of what a LoRA learned."""
=======
"""The miniature world: the embedded base model, its pictures, and the judge of a LoRA."""
>>>>>>> base
