"""What the captions of a set are together: of one kind or of two, with trigger words in all, with
tags that say what the subject is."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from .config import CaptionOptions, RunConfig
from .config.sections.dataset import FILEWORDS
from .dataset.caption_sources import some
from .dataset.captions import with_prompt, with_trigger_words, words_before
from .dataset.plan import DatasetPlan, Sample
from .errors import Mend, Problem
from .tags.entries import CaptionSet, Entry
from .tags.parts import Grammar, key_of
from .tags.style import Style, style_of
from .tags.table import FEWEST, NEARLY_ALL, may_be_trigger, table_of

_WORDS = "captions.trigger_words"
_SHOWN = 3
_TAGS = 5
_last: tuple[object, list[Problem]] = (None, [])
"""Of the assessment before this one: at most keys no caption changes."""


def set_problems(plan: DatasetPlan, config: RunConfig) -> list[Problem]:
    """Warnings and notes about the captions of the training pictures as a set."""
    global _last
    samples = [item for item in plan.training_samples if _is_used(item)]
    if len(samples) < FEWEST:
        return []
    key = ([(item.id, item.caption, item.prompt, item.trigger_words) for item in samples],)
    key += (config.captions,)
    if key != _last[0]:
        _last = key, _problems(samples, config.captions)
    return _last[1]


def _is_used(sample: Sample) -> bool:
    """Whether it has a caption, which its concept's prompt does not replace."""
    return bool(sample.caption_file) and (not sample.prompt or FILEWORDS in sample.prompt)


def _problems(samples: Sequence[Sample], options: CaptionOptions) -> list[Problem]:
    grammar = Grammar.of(options)
    entries = tuple(
        Entry(item.path, item.caption, item.concept, item.trigger_words, item.prompt)
        for item in samples
    )
    captions = CaptionSet(entries, grammar, Path())
    style = style_of(entries, grammar)
    named = any(item.trigger_words for item in samples)
    first = "" if named else _first(entries, grammar)
    found = [*_about_style(style), *_about_subject(captions, first)]
    by_words: dict[tuple[str, ...], list[Sample]] = {}
    for item in samples:
        by_words.setdefault(item.trigger_words, []).append(item)
    for words, group in by_words.items():
        if words and not options.wildcards:
            found += _about_number(words, group, options)
    if first:
        found.append(_about_first(first, entries, grammar))
    return found


def _about_style(style: Style) -> Iterator[Problem]:
    if style.kind == "mixed":
        yield Problem(
            f"The captions are of two kinds: {style.words}.",
            "captions",
            remedy=style.advice,
            severity="warning",
        )


def _about_subject(captions: CaptionSet, first: str) -> Iterator[Problem]:
    """``first`` is rather a trigger word."""
    proposed = [tag for tag in table_of(captions).proposed if tag.key != key_of(first)]
    if proposed:
        one = len(proposed) == 1
        yield Problem(
            f"{len(proposed)} tag{' seems' if one else 's seem'} to describe the subject itself: "
            f"{some([tag.name for tag in proposed], _TAGS)}.",
            "captions",
            remedy="What captions leave out, the trigger word learns. Prune such tags: F8 in the "
            "step Captions, or `lora-wizard tags DATASET --prune`.",
            severity="note",
        )


def _about_number(
    words: tuple[str, ...], samples: Sequence[Sample], options: CaptionOptions
) -> Iterator[Problem]:
    """Captions as trained have the words in front; in sentences they may stand again."""
    counts = {item.name: _count(words, item, options) for item in samples}
    usual = Counter(counts.values()).most_common(1)[0][0]
    others = [f"{name} ({count})" for name, count in counts.items() if count != usual]
    if others:
        are = "1 caption has" if len(others) == 1 else f"{len(others)} captions have"
        yield Problem(
            f"{are} the trigger words ({', '.join(words)}) more or less often than the others "
            f"({usual}): {some(others, _SHOWN)}.",
            _WORDS,
            remedy="Let them stand equally often in every caption: the step Captions shows what is "
            "trained.",
            severity="note",
        )


def _count(words: tuple[str, ...], sample: Sample, options: CaptionOptions) -> int:
    raw = with_prompt(sample.prompt, sample.caption)
    text = f"{options.prefix}{raw}{options.suffix}"
    trained = with_trigger_words(text, words_before(sample), raw, options)
    one_of = "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))
    return len(re.findall(rf"(?<!\w)(?:{one_of})(?!\w)", trained, re.IGNORECASE))


def _first(entries: Sequence[Entry], grammar: Grammar) -> str:
    """The tag that begins nearly all captions, but not all, as a trigger word does; or ""."""
    firsts = [next(iter(grammar.tags(entry.caption)), "") for entry in entries]
    key, count = Counter(map(key_of, firsts)).most_common(1)[0]
    is_nearly_all = NEARLY_ALL * len(firsts) <= count < len(firsts)
    if not is_nearly_all or not may_be_trigger(key):
        return ""
    return next(first for first in firsts if key_of(first) == key)


def _about_first(word: str, entries: Sequence[Entry], grammar: Grammar) -> Problem:
    without = [
        entry.name
        for entry in entries
        if key_of(next(iter(grammar.tags(entry.caption)), "")) != key_of(word)
    ]
    return Problem(
        f"{word!r} begins {len(entries) - len(without)} of {len(entries)} captions, as a trigger "
        f"word does, and not {some(without, _SHOWN)}.",
        _WORDS,
        remedy="Named here, it is trained first in all of them.",
        severity="note",
        mends=(Mend(f"Make {word} the trigger word", {_WORDS: [word]}),),
    )
