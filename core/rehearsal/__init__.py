"""A rehearsal: one real step, one picture and one file of a run, before hours of it are paid for.

It is a job like training, in a folder of its own that is gone afterwards. What it measured stays:
estimates rest on it as on an earlier run.
"""
