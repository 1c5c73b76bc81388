"""Every edit of tags that can be asked for, in the order in which several are made: the command's
switches, the screen's list and the guide come from here."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..errors import WizardError
from .edits import (
    Add,
    Duplicates,
    Edit,
    First,
    KeepOnly,
    Remove,
    Replace,
    Sort,
    TriggerWords,
    Underscores,
)

_ARROW = re.compile(r"\s+->\s+")


@dataclass(frozen=True)
class Kind:
    """A kind of edit."""

    name: str
    """Its switch is ``--`` and this."""
    title: str
    """What it does, as one would say it on a key."""
    help: str
    make: Callable[[Sequence[str]], Edit]
    """From the tags that it is told. Raises WizardError when they make no sense."""
    takes: str = ""
    """What has to be told: a word for it; empty for nothing."""
    example: str = ""
    may_be_bare: bool = False
    """Whether it can be asked for without saying more."""
    is_for_all: bool = True
    """Whether it is asked for once for the set, not at a tag of the table."""


def _replace(words: Sequence[str]) -> Edit:
    text = ", ".join(words)
    old, *rest = _ARROW.split(text, 1)
    new = "".join(rest)
    if not rest:
        # Not at its first sign, with which a tag may begin, as =_= does.
        head, _, new = text[1:].partition("=")
        old = text[:1] + head
    if not old.strip() or not new.strip():
        raise WizardError(
            "Say what becomes what", text, 'Such as "blonde hair=blond hair", or "=_= -> sleepy".'
        )
    return Replace((old.strip(),), new.strip())


def _sort(words: Sequence[str]) -> Edit:
    by = words[0] if words else "count"
    if by not in ("count", "name"):
        raise WizardError("Tags are sorted by count or by name", by, "Say one of the two.")
    return Sort(by)  # pyright: ignore[reportArgumentType]


KINDS: tuple[Kind, ...] = (
    Kind(
        "underscores",
        "Underscores become spaces",
        "long_hair becomes long hair; trigger words and faces such as ^_^ stay",
        lambda words: Underscores(),
    ),
    Kind(
        "replace",
        "Replace a tag, or merge it into another",
        "a tag becomes another everywhere; where both are, one is left; may be repeated",
        _replace,
        takes="OLD=NEW",
        example='"blonde hair=blond hair"',
        is_for_all=False,
    ),
    Kind(
        "remove",
        "Remove a tag",
        "take these tags out of every caption",
        lambda words: Remove(tuple(words)),
        takes="TAGS",
        example='"1girl, solo"',
        is_for_all=False,
    ),
    Kind(
        "keep",
        "Keep only some tags",
        "take out all but these tags and the trigger words",
        lambda words: KeepOnly(tuple(words)),
        takes="TAGS",
        example='"smile, outdoors"',
    ),
    Kind(
        "add-front",
        "Add tags in front",
        "put these tags in front, after the trigger words, where they are missing",
        lambda words: Add(tuple(words), "front"),
        takes="TAGS",
        example='"watercolor"',
    ),
    Kind(
        "add",
        "Add tags at the end",
        "put these tags at the end, where they are missing",
        lambda words: Add(tuple(words)),
        takes="TAGS",
        example='"outdoors"',
    ),
    Kind(
        "duplicates",
        "Duplicates out",
        "a tag that comes again in a caption is taken out",
        lambda words: Duplicates(),
    ),
    Kind(
        "sort",
        "Sort the tags by count",
        "the same order in every caption, by count (of the whole set) or name; sentences stay",
        _sort,
        takes="ORDER",
        example="name",
        may_be_bare=True,
    ),
    Kind(
        "first",
        "Some tags first",
        "put these tags, where a caption has them, first, after the trigger words",
        lambda words: First(tuple(words)),
        takes="TAGS",
        example='"smile"',
    ),
    Kind(
        "trigger-words",
        "Trigger words first, everywhere",
        "every caption begins with these words, each once; without any, with those of the TOML",
        lambda words: TriggerWords(tuple(words)),
        takes="WORDS",
        example='"mika, red dress"',
        may_be_bare=True,
    ),
)


def kind(name: str) -> Kind:
    """The kind of a name in `KINDS`."""
    return next(kind for kind in KINDS if kind.name == name)
