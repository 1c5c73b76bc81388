"""Rules of `[captions]`."""

from __future__ import annotations

from collections.abc import Iterator

from ..run_config import RunConfig
from ..sections.dataset import FILEWORDS
from .base import Finding, Rule, error, note, warning


def _fixed_tags(config: RunConfig) -> Iterator[Finding]:
    captions = config.captions
    shuffle, dropout = "captions.shuffle", "captions.tag_dropout"
    moves = captions.shuffle or captions.tag_dropout
    if captions.keep_tokens and not moves:
        yield warning(
            f"has no effect without {shuffle} or {dropout}", "captions.keep_tokens", shuffle
        )
    if captions.keep_tokens and captions.keep_tokens_separator:
        yield note(
            "counts only in captions without the mark of captions.keep_tokens_separator",
            "captions.keep_tokens",
            "captions.keep_tokens_separator",
        )
    words = len(captions.trigger_words)
    if not moves or captions.keep_tokens >= words or captions.keep_tokens_separator:
        return
    key = shuffle if captions.shuffle else dropout
    does = "shuffling will move" if captions.shuffle else "tag dropout will at times leave out"
    away = " away from the front" if captions.shuffle else ""
    yield warning(
        f"is {captions.keep_tokens}: {does} the trigger words{away}",
        "captions.keep_tokens",
        key,
        "captions.trigger_words",
        remedy=f"Set it to {words} or more.",
    )


def _separators(config: RunConfig) -> Iterator[Finding]:
    captions = config.captions
    moves = captions.shuffle or captions.tag_dropout
    mark, group = captions.keep_tokens_separator, captions.secondary_separator
    for name, value in (("keep_tokens_separator", mark), ("secondary_separator", group)):
        key = f"captions.{name}"
        if value and captions.separator in value:
            yield error(
                "has captions.separator in it: every caption would be cut apart there",
                key,
                "captions.separator",
                remedy="Take one that stands nowhere else, such as ||| or ;;;.",
            )
        elif value and not moves:
            yield note("only takes its marks out: nothing is shuffled and no tag dropped", key)
    if mark and mark == group:
        yield error(
            "is the same as captions.keep_tokens_separator",
            "captions.secondary_separator",
            "captions.keep_tokens_separator",
        )


def _dropped(config: RunConfig) -> Iterator[Finding]:
    captions, every = config.captions, config.captions.dropout_every_epochs
    if captions.dropout == 1 or every == 1:
        key = "captions.dropout" if captions.dropout == 1 else "captions.dropout_every_epochs"
        yield warning(
            f"is {1 if every == 1 else captions.dropout:g}: nothing is trained with a caption, and "
            "no word will call it",
            key,
            remedy="0.05 to 0.1 of the uses is usual."
            if key == "captions.dropout"
            else "Take 2 or more, or 0 for never.",
        )
    if every > config.training.epochs:
        yield warning(
            f"is {every}, more than the epochs: it has no effect",
            "captions.dropout_every_epochs",
            "training.epochs",
        )
    if captions.tag_dropout == 1:
        yield warning(
            "is 1: of every caption only the tags kept in place are trained",
            "captions.tag_dropout",
        )


def _prompts(config: RunConfig) -> Iterator[Finding]:
    for index, concept in enumerate(config.dataset.concepts):
        if concept.prompt and FILEWORDS not in concept.prompt:
            yield note(
                f"has no {FILEWORDS} in it: all pictures of this folder are trained with the same "
                "words, and their captions are not read",
                f"dataset.concepts[{index}].prompt",
            )


RULES: tuple[Rule, ...] = (_fixed_tags, _separators, _dropped, _prompts)
