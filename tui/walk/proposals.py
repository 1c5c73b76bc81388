"""What the wizard proposes where a person has not said anything yet."""

from __future__ import annotations

import re

from .draft import Draft

_CLASSES = {
    "person": "person",
    "character": "character",
    "object": "object",
    "animal": "animal",
}
"""By kind of subject: the class word when none was given."""
_LONGEST_NAME = 60


def trigger_word(draft: Draft) -> str:
    """The word that calls the subject; empty before there is one."""
    words = draft.value("captions.trigger_words")
    return str(words[0]).strip() if words else ""


def sample_prompts(draft: Draft) -> list[str]:
    """Prompts that show what is learned, the most telling one first; none before there is a
    trigger word."""
    trigger = trigger_word(draft)
    if not trigger:
        return []
    subject = draft.fact("subject") or draft.template
    if subject == "style":
        scenes = ("a house by a lake", "a portrait of an old man", "a street at night")
        return [f"{trigger}, {scene}" for scene in scenes]
    word = draft.fact("class_word").strip() or _CLASSES.get(subject, "person")
    thing = f"{_article(word)} {word}"
    return [
        f"{trigger}, a photo of {thing}",
        f"{trigger}, a painting of {thing} on a beach",
        # Without the trigger word: has to stay what the base model draws.
        f"a photo of {thing}",
    ]


def next_prompt(draft: Draft) -> str:
    """The first of `sample_prompts` that is not among the draft's; empty when all are."""
    there = {prompt.partition(" --")[0].strip() for prompt in draft.value("samples.prompts")}
    return next((prompt for prompt in sample_prompts(draft) if prompt not in there), "")


def output_name(draft: Draft) -> str:
    """A file's name made from the trigger word; empty before there is one."""
    name = re.sub(r"[^\w-]+", "-", trigger_word(draft)).strip("-._")
    return name[:_LONGEST_NAME]


def output_comment(draft: Draft) -> str:
    """What whoever gets the file has to know: its trigger words."""
    words = [str(word).strip() for word in draft.value("captions.trigger_words")]
    return f"trigger: {', '.join(words)}" if words else ""


def _article(word: str) -> str:
    return "an" if word[:1].lower() in "aeiou" else "a"
