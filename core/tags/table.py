"""How often each tag stands in a set's captions, where, and which of them say what the subject is.

A LoRA binds what a caption leaves out to the trigger word, and what it names stays changeable (S1):
so what describes the subject itself is pruned, and what varies is kept.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Literal

from .entries import CaptionSet, Entry
from .parts import Grammar, key_of
from .style import Style, style_of

NEARLY_ALL = 0.8
"""The share of captions from which on a tag says what the subject is."""
OFTEN = 0.6
"""The share that is enough for hair and eyes, which a tagger does not see in every picture."""
FEWEST = 4
"""Captions below which a share says nothing."""
Order = Literal["count", "name", "place"]

_FEATURE = re.compile(
    r"(?<!\w)(hair|eyes?|ponytail|twintails|braids?|bangs|beard|skin|ears?|tail)$"
)
_VARIES = re.compile(
    r"background|indoors|outdoors|scenery|looking|smil|mouth|blush|grin|expression|"
    r"(?<!\w)(standing|sitting|lying|kneeling|walking|running|holding|upper body|full body|"
    r"from (above|below|side|behind)|cowboy shot|portrait|close-?up|day|night|sky)(?!\w)"
)
"""Background, expression, pose and view: what S1 says to keep."""
_COUNTS = re.compile(r"\d+\+?(girl|boy|other|people|person)s?|solo|multiple \w+")


@dataclass(frozen=True)
class Tag:
    """A tag over the whole set."""

    key: str
    name: str
    """As most captions write it."""
    count: int
    """Captions that have it."""
    share: float
    """Of the captions that there are, 0 to 1."""
    place: float
    """Where it stands on average, from 1."""
    entries: tuple[int, ...] = field(repr=False)
    """The places in the set of the pictures that have it."""
    is_trigger: bool = False
    why: str = ""
    """Why it is proposed for pruning; empty when it is not."""
    remark: str = ""
    """What else is to say of it."""


@dataclass(frozen=True)
class TagTable:
    """All tags of a set."""

    tags: tuple[Tag, ...]
    """The most frequent first."""
    captions: int
    """Pictures that have one."""
    pictures: int
    style: Style
    inferred: str = ""
    """The tag that is taken for the trigger word, as nobody has named one."""

    @property
    def proposed(self) -> tuple[Tag, ...]:
        """Those that seem to describe the subject itself."""
        return tuple(tag for tag in self.tags if tag.why)

    def ordered(self, order: Order) -> list[Tag]:
        """All tags in another order."""
        keys = {
            "count": lambda tag: (-tag.count, tag.key),
            "name": lambda tag: tag.key,
            "place": lambda tag: (tag.place, tag.key),
        }
        return sorted(self.tags, key=keys[order])


def table_of(captions: CaptionSet) -> TagTable:
    """Count the tags of a set."""
    found = _count(captions.entries, captions.grammar)
    style = style_of(captions.entries, captions.grammar)
    total = sum(bool(entry.caption) for entry in captions.entries)
    words = {key_of(word) for word in captions.trigger_words}
    inferred = "" if words else _first_everywhere(found, total)
    if inferred:
        words = {inferred}
    tags = [_tag(key, counted, total, words) for key, counted in found.items()]
    tags.sort(key=lambda tag: (-tag.count, tag.key))
    name = next((tag.name for tag in tags if tag.key == inferred), "")
    return TagTable(tuple(tags), total, len(captions.entries), style, name)


@dataclass
class _Counted:
    entries: list[int] = field(default_factory=list)
    places: int = 0
    names: Counter[str] = field(default_factory=Counter)


def _count(entries: Sequence[Entry], grammar: Grammar) -> dict[str, _Counted]:
    found: dict[str, _Counted] = {}
    for number, entry in enumerate(entries):
        seen: set[str] = set()
        for place, tag in enumerate(grammar.tags(entry.caption), start=1):
            key = key_of(tag)
            if key in seen:
                continue
            seen.add(key)
            counted = found.get(key)
            if counted is None:
                counted = found[key] = _Counted()
            counted.entries.append(number)
            counted.places += place
            counted.names[tag] += 1
    return found


def _tag(key: str, counted: _Counted, total: int, words: Collection[str]) -> Tag:
    count = len(counted.entries)
    share = count / total
    why, remark = ("", "") if key in words else judged(key, count, total)
    return Tag(
        key,
        min(counted.names, key=lambda name: (-counted.names[name], name)),
        count,
        share,
        counted.places / count,
        tuple(counted.entries),
        key in words,
        why,
        remark,
    )


def judged(key: str, count: int, total: int) -> tuple[str, str]:
    """(why a tag that ``count`` of ``total`` captions have seems to describe the subject; what else
    is to say of it). Either may be empty."""
    share = count / total
    if total < FEWEST or share < OFTEN:
        return "", ""
    plain = key.replace("_", " ")
    stands = f"in {count} of {total} captions"
    if _VARIES.search(plain):
        if share < NEARLY_ALL:
            return "", ""
        return "", f"{stands}; kept, as background, expression, pose and view are to vary"
    if _FEATURE.search(plain):
        return f"{stands}, and a feature of the subject: pruned, the trigger word brings it", ""
    if share < NEARLY_ALL:
        return "", ""
    if _COUNTS.fullmatch(plain):
        return f"{stands}: what all pictures have in common goes into the trigger word", ""
    return f"{stands}: what nearly all have belongs to the subject, and the trigger word", ""


def _first_everywhere(found: dict[str, _Counted], total: int) -> str:
    """The tag that begins every caption, as trigger words do; "1girl" does it, too, and is none."""
    for key, counted in found.items():
        is_all = total >= FEWEST and len(counted.entries) == total
        if is_all and counted.places == total and not _COUNTS.fullmatch(key.replace("_", " ")):
            return key
    return ""


def may_be_trigger(key: str) -> bool:
    """Whether a tag that begins captions may be a trigger word: nothing that any caption has."""
    plain = key.replace("_", " ")
    known = _COUNTS.fullmatch(plain) or _FEATURE.search(plain) or _VARIES.search(plain)
    return bool(plain) and not known
