"""Captions for a whole dataset by a model, in a process of its own.

The model's answers are kept in the job's folder one by one, by the content of each picture, and
survive whatever ends the process; the caption files beside the pictures are written from them in
few, large, undoable changes.
"""
