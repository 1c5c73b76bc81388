"""The words beside each picture: read whatever the encoding, and composed for each use.

`compose` is the one place where trigger words, prefix, shuffling and dropout come together, so
that what `plan` shows is what is trained.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from pathlib import Path

from ..config import CaptionOptions, RunConfig
from ..randomness import shuffled, uniform
from .folders import FileEntry, open_regular
from .plan import Draw

EXTENSIONS = (".txt", ".caption")
"""In the order in which they are looked for."""
SIZE_LIMIT = 1 << 20
"""Bytes; what is larger is not a caption."""

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
"""UTF-32's little-endian mark begins with UTF-16's, so it comes first."""


@dataclass(frozen=True)
class Caption:
    """A caption file as read. ``remarks`` are worth telling the person."""

    text: str
    path: Path
    remarks: tuple[str, ...] = ()


class CaptionError(Exception):
    """A caption file cannot be used; the message is the reason, for a person."""


def read_caption(file: FileEntry) -> Caption:
    """A caption file of any encoding, on one line. Raises CaptionError when it cannot be read."""
    if file.size > SIZE_LIMIT:
        raise CaptionError(f"{file.size / 1e6:.1f} MB is too long for a caption")
    try:
        with open_regular(file.path) as opened:
            data = opened.read(SIZE_LIMIT + 1)
    except OSError as error:
        raise CaptionError(f"cannot be read: {error.strerror or error}") from error
    text, remark = decode(data)
    remarks = [remark] if remark else []
    if "\x00" in text:
        raise CaptionError("has zero bytes in it: not a text file")
    lines = [line.strip() for line in text.splitlines()]
    filled = [line for line in lines if line]
    if len(filled) > 1:
        remarks.append("has several lines, which are read as one")
    if not filled:
        remarks.append("is empty")
    return Caption(" ".join(filled), file.path, tuple(remarks))


def decode(data: bytes) -> tuple[str, str]:
    """Text and a remark (or "") from the bytes of a caption: by its byte order mark, as UTF-8, or
    as Windows' cp1252; never an error."""
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            text = data[len(mark) :].decode(encoding, "replace")
            broken = "�" in text
            return text, f"is damaged {encoding.upper()}" if broken else ""
    try:
        return data.decode("utf-8"), ""
    except UnicodeDecodeError:
        # cp1252 leaves five bytes undefined; latin-1's controls are what Windows makes of them.
        text = "".join(_CP1252[byte] for byte in data)
        return text, "is not UTF-8: read as Windows-1252"


_CP1252 = [
    bytes([code]).decode("cp1252", "ignore") or bytes([code]).decode("latin-1")
    for code in range(256)
]


def compose(
    raw: str,
    options: CaptionOptions,
    trigger_words: tuple[str, ...],
    *,
    shuffle_key: int,
    dropout_key: int,
) -> str:
    """The caption as the text encoder gets it; "" when it is dropped.

    The order is sd-scripts' (``process_caption``): prefix and suffix, trigger words, dropout of the
    whole, then, when shuffling, the tags after the first ``keep_tokens``. Without shuffling the
    caption is left as written.
    """
    text = with_trigger_words(f"{options.prefix}{raw}{options.suffix}", trigger_words, raw, options)
    if uniform(dropout_key) < options.dropout:
        return ""
    if not options.shuffle:
        return text.strip()
    tags = split_tags(text, options.separator)
    kept, rest = tags[: options.keep_tokens], tags[options.keep_tokens :]
    return ", ".join(kept + shuffled(rest, shuffle_key, "tags"))


def with_trigger_words(
    text: str, trigger_words: tuple[str, ...], raw: str, options: CaptionOptions
) -> str:
    """``text`` with the trigger words first, unless it, or the caption ``raw`` within it, already
    begins with them; a later tag that repeats one of them is left out."""
    words = tuple(word.strip() for word in trigger_words if word.strip())
    if not words:
        return text
    is_there = begins_with(text, words, options.separator) or (
        bool(options.prefix.strip()) and begins_with(raw, words, options.separator)
    )
    between = f"{options.separator.rstrip()} "
    if not is_there:
        text = between.join([*words, text] if text.strip() else words)
    tags = split_tags(text, options.separator)
    once = _without_repeated(tags, {word.casefold() for word in words})
    return text if len(once) == len(tags) else between.join(once)


def begins_with(text: str, words: tuple[str, ...], separator: str) -> bool:
    """Whether ``text`` begins with all ``words`` in their order, as tags or as a sentence's first
    words, whatever the case: CLIP's tokenizer ignores it."""
    between = rf"(?:\s|{re.escape(separator)})*"
    inner = between.join(re.escape(word) for word in words)
    return re.match(rf"\s*{inner}(?!\w)", text, re.IGNORECASE) is not None


def _without_repeated(tags: list[str], folded_words: set[str]) -> list[str]:
    seen: set[str] = set()
    kept: list[str] = []
    for tag in tags:
        folded = tag.casefold()
        if folded not in folded_words or folded not in seen:
            kept.append(tag)
        seen.add(folded)
    return kept


def split_tags(text: str, separator: str) -> list[str]:
    """The tags of a caption, without blanks around them and without empty ones."""
    return [tag for part in text.split(separator) if (tag := part.strip())]


def final_caption(draw: Draw, config: RunConfig) -> str:
    """The caption of one use of a picture, exactly as it is trained."""
    seed = config.training.seed
    return compose(
        draw.sample.caption,
        config.captions,
        draw.sample.trigger_words,
        shuffle_key=draw.key(seed, "caption-shuffle"),
        dropout_key=draw.key(seed, "caption-dropout"),
    )
