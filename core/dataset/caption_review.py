"""What is to say of the captions of a plan: which are cut off, and what in them is not read as it
was perhaps meant."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..config import CaptionOptions, RunConfig
from ..emphasis import has_emphasis, pieces
from ..errors import Mend, Problem
from ..families.base import PROMPT_CHUNK, FamilySpec
from ..weights.clip_tokens import count
from .captions import compose, resolved, with_prompt, words_before
from .plan import DatasetPlan, Sample
from .wildcards import has_choice, longest

LENGTHS = (75, 150, 225)
_KEY = "captions.max_tokens"
_WEIGHT = re.compile(r"\([^()]+:\s*[0-9.]+\s*\)")
_SHOWN = 3
_LOST = 40
"""Characters of what is cut off that are shown."""


@dataclass(frozen=True)
class Length:
    """A picture's caption at its longest, counted."""

    sample: Sample
    caption: str
    """As it is counted: without the marks of emphasis, where they are read."""
    ends: Sequence[int]
    """Where each token ends in it."""

    @property
    def tokens(self) -> int:
        return len(self.ends)

    def lost(self, most: int) -> str:
        """What does not fit into ``most`` tokens."""
        return self.caption[self.ends[most - 1] :].strip(" ,") if self.tokens > most else ""


def review_captions(
    plan: DatasetPlan, config: RunConfig, spec: FamilySpec, vocabulary: Path | None
) -> list[Problem]:
    """Warnings and notes. ``vocabulary`` is the folder of the base's tokenizer, if it is here."""
    options = config.captions
    found = [*_about_choices(plan, options), *_about_marks(plan, options)]
    found += _about_weights(plan, options)
    if any(part.folder == "tokenizer" for part in spec.parts):
        found += _about_length(plan, config, vocabulary)
    return found


def _lengths(
    plan: DatasetPlan, options: CaptionOptions, vocabulary: Path | None
) -> tuple[list[Length], bool]:
    """(of all pictures' captions, whatever is dropped or chosen at their longest; whether they are
    counted exactly)."""
    texts = [_texts(sample, options) for sample in plan.samples]
    counted = count(vocabulary, [text for of_sample in texts for text in of_sample])
    ends = iter(counted.ends)
    found = [
        _length(sample, of_sample, [next(ends) for _ in of_sample])
        for sample, of_sample in zip(plan.samples, texts, strict=True)
    ]
    return found, counted.is_exact


def _texts(sample: Sample, options: CaptionOptions) -> list[str]:
    """The caption at its longest, in the pieces that are counted."""
    parts = (options.prefix, with_prompt(sample.prompt, sample.caption), options.suffix)
    if options.wildcards:
        parts = resolved(parts, longest, longest)
    still = {"shuffle": False, "dropout": 0.0, "dropout_every_epochs": 0, "tag_dropout": 0.0}
    fixed = {"wildcards": False, "prefix": parts[0], "suffix": parts[2]}
    plain = options.model_copy(update={**still, **fixed})
    caption = compose(parts[1], plain, words_before(sample), key=lambda purpose: 0)
    return [piece.text for piece in pieces(caption)] if options.weighted else [caption]


def _length(sample: Sample, texts: Sequence[str], ends_of_texts: Sequence[Sequence[int]]) -> Length:
    ends: list[int] = []
    at = 0
    for text, ends_of_text in zip(texts, ends_of_texts, strict=True):
        ends += [at + end for end in ends_of_text]
        at += len(text)
    return Length(sample, "".join(texts), ends)


def _about_length(
    plan: DatasetPlan, config: RunConfig, vocabulary: Path | None
) -> Iterator[Problem]:
    found, is_exact = _lengths(plan, config.captions, vocabulary)
    most = config.captions.max_tokens
    longest_one = max((length.tokens for length in found), default=0)
    cut = sorted((item for item in found if item.tokens > most), key=lambda item: -item.tokens)
    fitting = next((length for length in LENGTHS if length >= longest_one), LENGTHS[-1])
    if cut:
        is_few = len(cut) <= _SHOWN
        which = "; ".join(_cut_words(item, most, is_exact) for item in cut[:_SHOWN])
        verb = "is" if len(cut) == 1 else "are"
        yield Problem(
            f"{len(cut)} of {len(found)} captions {verb} cut off after {most} tokens"
            f"{':' if is_few else '; the longest:'} {which}",
            _KEY,
            remedy=_cut_remedy(fitting, longest_one, most),
            severity="warning",
            mends=_mends(fitting, most),
        )
    elif most > PROMPT_CHUNK and fitting < most and is_exact:
        yield Problem(
            f"is {most}, and the longest caption has {longest_one} tokens",
            _KEY,
            remedy=f"{fitting} trains as much of it in less time.",
            severity="note",
            mends=(Mend(f"Captions of up to {fitting} tokens", {_KEY: fitting}),),
        )


def _cut_words(item: Length, most: int, is_exact: bool) -> str:
    lost = item.lost(most)
    shown = f"{lost[:_LOST].rstrip()} ..." if len(lost) > _LOST else lost
    about = "" if is_exact else "at least "
    return f'{item.sample.name} ({about}{item.tokens}) loses "{shown}"'


def _cut_remedy(fitting: int, longest_one: int, most: int) -> str:
    if longest_one <= fitting:
        return f"{_KEY} = {fitting} trains them whole."
    if most < fitting:
        return f"{_KEY} = {fitting} cuts less; shorten what is longer."
    return "Shorten them, or put what matters first."


def _mends(fitting: int, most: int) -> tuple[Mend, ...]:
    if fitting <= most:
        return ()
    return (Mend(f"Train captions of up to {fitting} tokens", {_KEY: fitting}),)


def _about_choices(plan: DatasetPlan, options: CaptionOptions) -> Iterator[Problem]:
    with_choice = [item for item in plan.samples if has_choice(item.caption)]
    key = "captions.wildcards"
    if with_choice and not options.wildcards:
        yield Problem(
            f"{_some(with_choice)} {{a|b}} in the caption, which is trained as it is written",
            key,
            remedy="Turn it on to take one of them for every use.",
            severity="note",
            mends=(Mend("Take one of {a|b}", {key: True}),),
        )
    around = has_choice(options.prefix) or has_choice(options.suffix)
    prompts = any(has_choice(item.prompt) for item in plan.samples)
    several = any("\n" in item.caption for item in plan.samples)
    if options.wildcards and not (with_choice or around or prompts or several):
        yield Problem(
            "has nothing to choose: no caption has several lines or {a|b} in it",
            key,
            severity="warning",
        )


def _about_marks(plan: DatasetPlan, options: CaptionOptions) -> Iterator[Problem]:
    for name in ("keep_tokens_separator", "secondary_separator"):
        mark = getattr(options, name)
        around = f"{options.prefix}{options.suffix}"
        texts = (f"{around}{item.prompt}{item.caption}" for item in plan.samples)
        if mark and not any(mark in text for text in texts):
            message = f"has no effect: {mark} stands in no caption"
            yield Problem(message, f"captions.{name}", severity="warning")


def _about_weights(plan: DatasetPlan, options: CaptionOptions) -> Iterator[Problem]:
    key = "captions.weighted"
    if options.weighted:
        around = f"{options.prefix} {options.suffix}"
        texts = (f"{item.prompt} {item.caption}" for item in plan.samples)
        if not has_emphasis(around) and not any(map(has_emphasis, texts)):
            message = "has nothing to weigh: no caption has (word:1.2) in it"
            yield Problem(message, key, severity="warning")
        return
    weighted = [item for item in plan.samples if _WEIGHT.search(item.caption)]
    if weighted:
        yield Problem(
            f"{_some(weighted)} (word:1.2) in the caption, which is trained as it is written",
            key,
            remedy="Turn it on to train it as emphasis.",
            severity="note",
        )


def _some(samples: Sequence[Sample]) -> str:
    if len(samples) == 1:
        return f"{samples[0].name} has"
    return f"{len(samples)} pictures, such as {samples[0].name}, have"
