"""What the help says beside the options' own: each step at length, and the words of the field."""

from __future__ import annotations

STEPS: dict[str, str] = {
    "dataset": (
        "Give the folder with the pictures. A dozen good ones teach more than a hundred alike: "
        "other places, other light, other distances, and nothing on them that you do not want to "
        "see again. A zip is unpacked. Folders named 10_mika are kohya's: ten repeats of mika.\n"
        "F2 finds what is there twice, blurred, too small or framed by bars; F3 crops and resizes "
        "copies into a new folder; F4 draws class pictures. Your own files are never changed.\n"
        "The trigger word is what you will write in a prompt to call up what was learned: a word "
        "that means nothing yet, such as ohwx."
    ),
    "captions": (
        "A caption says what is on a picture, in a .txt file beside it. What the caption names "
        "stays changeable later; what it leaves out becomes part of the trigger word. So name the "
        "clothes, the place and the light, and leave out what makes the subject itself."
    ),
    "repeats": (
        "One step learns from one batch of pictures. An epoch shows every picture as often as its "
        "repeats say. What counts in the end is the number of steps: too few and the likeness is "
        "not there, too many and every picture looks like those it learned from. A file is saved "
        "at the end of an epoch, so you can choose the best one afterwards."
    ),
    "model": (
        "The model that the LoRA is made for; it works with that one and its relatives. A general "
        "model is usually better to train on than a specialised one. A hub id is downloaded, a "
        ".safetensors file or a folder on this machine is used where it is."
    ),
    "parameters": (
        "How it learns. The preset has a good value everywhere; whoever is new goes on. Values "
        "that differ from the preset's are marked with *."
    ),
    "samples": (
        "Pictures drawn while it trains, always with the same prompts and seeds, so that you see "
        "what changes. Use the trigger word in them."
    ),
    "output": (
        "Each run makes a folder of its own in there, named like the LoRA: a file for every epoch, "
        "the sample pictures, the log, and what a resume needs. Finished files can be copied "
        "straight into the folder of ComfyUI or A1111 as well."
    ),
    "review": (
        "All that was answered, the gravest problem first. Nothing has been started until you say "
        "so here, and the run then goes on without this window, too."
    ),
}
"""Step -> what is decided in it and how to decide it."""

GLOSSARY: dict[str, str] = {
    "LoRA": "a small file that changes what a base model draws",
    "base model": "the model that draws, and that the LoRA is made for",
    "trigger word": "the word in a prompt that calls up what was learned",
    "class": "what the subject is one of: woman, dog, car",
    "caption": "the words that belong to a picture",
    "concept": "a folder of pictures of one thing, with its own repeats",
    "repeats": "how often an epoch shows each picture of a folder",
    "regularization": "pictures of the class in general, so that not every woman becomes yours",
    "batch": "the pictures that are looked at in one go",
    "step": "one change of the LoRA, after one batch (or several accumulated ones)",
    "epoch": "one time through all pictures and their repeats",
    "bucket": "pictures of one shape; a batch is always of one bucket",
    "rank": "the LoRA's size: more holds more, also what should not be learned",
    "alpha": "how strongly it counts, as a share of rank; half of rank is usual",
    "learning rate": "how far one step goes",
    "loss": "how wrong the guesses still are; it jumps from step to step, look at the smooth line",
    "seed": "the number that makes chance repeatable",
    "checkpoint": "what is saved on the way",
    "VRAM": "the GPU's memory",
}
"""Word -> what it means, in the order in which one meets them."""

_WORDS: dict[str, tuple[str, ...]] = {
    "dataset": ("trigger word", "class", "concept", "repeats", "regularization", "bucket"),
    "captions": ("caption", "trigger word"),
    "repeats": ("repeats", "batch", "step", "epoch", "bucket"),
    "model": ("LoRA", "base model", "checkpoint", "VRAM"),
    "parameters": ("rank", "alpha", "learning rate", "loss", "bucket", "seed", "VRAM"),
    "samples": ("trigger word", "seed", "epoch", "step"),
    "output": ("LoRA", "epoch"),
    "review": ("step", "epoch", "bucket", "VRAM"),
}


def words(step: str) -> list[tuple[str, str]]:
    """The words of a step with what they mean; all of them for a name that no step has."""
    return [(word, GLOSSARY[word]) for word in _WORDS.get(step, tuple(GLOSSARY))]
