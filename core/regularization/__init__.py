"""Class pictures: what the base model draws for the class word without the subject."""
