"""The words beside each picture: read whatever the encoding, and composed for each use.

`compose` is the one place where trigger words, prefix, choices, shuffling and dropout come
together, so that what `plan` shows is what is trained.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, Protocol

from ..config import CaptionOptions, RunConfig
from ..config.sections.dataset import FILEWORDS
from ..randomness import key as key_of
from ..randomness import shuffled, uniform
from .folders import read_regular
from .plan import Draw
from .wildcards import Pick, by_key, chosen, lines_of, one_line

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
_MARKS = tuple(mark for mark, _ in _BOMS)


class Caption(NamedTuple):
    """A caption as read from ``file``, a path. ``remarks`` are worth telling the person."""

    text: str
    file: str
    remarks: tuple[str, ...] = ()

    @property
    def path(self) -> Path:
        return Path(self.file)


class Worded(Protocol):
    """A picture and its words, as far as its caption is made of them; `Sample` is one."""

    @property
    def name(self) -> str: ...
    @property
    def path(self) -> Path: ...
    @property
    def caption(self) -> str: ...
    @property
    def trigger_words(self) -> tuple[str, ...]: ...
    @property
    def prompt(self) -> str: ...


class CaptionError(Exception):
    """A caption file cannot be used; the message is the reason, for a person."""


def read_caption(file: str | Path, *, lines: bool = False) -> Caption:
    """A caption file of any encoding, on one line, or with its own ``lines`` where they are
    alternatives. Raises CaptionError when it cannot be read."""
    try:
        data, size = read_regular(file, SIZE_LIMIT)
    except OSError as error:
        raise CaptionError(f"cannot be read: {error.strerror or error}") from error
    return caption_in(data, size, file, lines=lines)


def caption_in(data: bytes, size: int, file: str | Path, *, lines: bool = False) -> Caption:
    """As `read_caption`, from the first `SIZE_LIMIT` bytes of ``file``, which has ``size``."""
    if size > SIZE_LIMIT:
        raise CaptionError(f"{size / 1e6:.1f} MB is too long for a caption")
    text, remark = decode(data)
    remarks = [remark] if remark else []
    if "\x00" in text:
        raise CaptionError("has zero bytes in it: not a text file")
    filled = lines_of(text)
    if len(filled) > 1 and not lines:
        remarks.append("has several lines, which are read as one")
    if not filled:
        remarks.append("is empty")
    return Caption(("\n" if lines else " ").join(filled), str(file), tuple(remarks))


def decode(data: bytes) -> tuple[str, str]:
    """Text and a remark (or "") from the bytes of a caption: by its byte order mark, as UTF-8, or
    as Windows' cp1252; never an error."""
    for mark, encoding in _BOMS if data.startswith(_MARKS) else ():
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


Keys = Callable[[str], int]
"""The key of a draw by its purpose."""


def compose(
    raw: str,
    options: CaptionOptions,
    trigger_words: tuple[str, ...],
    *,
    key: Keys,
    epoch: int = 1,
) -> str:
    """The caption as the text encoder gets it in an epoch (from 1); "" when it is dropped.

    The order is sd-scripts' (``process_caption``): prefix and suffix, trigger words, dropout of the
    whole, one line of several and one of each ``{a|b}``, then, by tags, what is fixed, the rest
    shuffled, single tags dropped. sd-scripts puts the prefix before the first line only; here it is
    before whichever line is taken. Where nothing is done by tags the caption is left as written.
    """
    if is_dropped(options, key, epoch):
        return ""
    parts = (options.prefix, raw, options.suffix)
    if options.wildcards:
        parts = resolved(parts, by_key(key("caption-line")), by_key(key("caption-choice")))
    text = with_trigger_words("".join(parts), trigger_words, parts[1], options)
    by_tags = options.shuffle or options.tag_dropout or _mark_in(text, options)
    text = _by_tags(text, options, key) if by_tags else text.strip()
    if options.secondary_separator:
        text = text.replace(options.secondary_separator, _between(options))
    return text


def is_dropped(options: CaptionOptions, key: Keys, epoch: int) -> bool:
    """Whether a use in ``epoch`` goes without any caption."""
    every = options.dropout_every_epochs
    return bool(every and epoch % every == 0) or uniform(key("caption-dropout")) < options.dropout


def resolved(parts: tuple[str, str, str], line: Pick, pick: Pick) -> tuple[str, str, str]:
    """Prefix, caption and suffix without anything to choose."""
    prefix, raw, suffix = parts
    # Numbered from where no caption's choices end, so that the same caption chooses alike whatever
    # prefix it has.
    return (
        chosen(prefix, pick, first=_PREFIX),
        chosen(one_line(raw, line), pick),
        chosen(suffix, pick, first=_SUFFIX),
    )


_PREFIX, _SUFFIX = 1 << 32, 1 << 33


def _by_tags(text: str, options: CaptionOptions, key: Keys) -> str:
    fixed, free, last = _parts(text, options)
    if options.shuffle:
        free = shuffled(free, key("caption-shuffle"), "tags")
    if options.tag_dropout:
        draw = key("caption-tags")
        free = [
            tag
            for place, tag in enumerate(free)
            if uniform(key_of(draw, "tag", place)) >= options.tag_dropout
        ]
    return ", ".join([*fixed, *free, *last])


def _parts(text: str, options: CaptionOptions) -> tuple[list[str], list[str], list[str]]:
    """The tags that stay in front, those that are free, and those that stay at the end."""
    if _mark_in(text, options):
        front, _, rest = text.partition(options.keep_tokens_separator)
        middle, _, end = rest.partition(options.keep_tokens_separator)
        fixed, free, last = (split_tags(part, options.separator) for part in (front, middle, end))
        return fixed, free, last
    tags = split_tags(text, options.separator)
    return tags[: options.keep_tokens], tags[options.keep_tokens :], []


def _mark_in(text: str, options: CaptionOptions) -> bool:
    return bool(options.keep_tokens_separator) and options.keep_tokens_separator in text


def _between(options: CaptionOptions) -> str:
    return f"{options.separator.rstrip()} "


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
    between = _between(options)
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


def with_prompt(prompt: str, caption: str) -> str:
    """A concept's prompt with the caption where it says so; the caption where there is none."""
    if "\n" in caption and FILEWORDS in prompt:
        return "\n".join(prompt.replace(FILEWORDS, line) for line in caption.split("\n"))
    return prompt.replace(FILEWORDS, caption) if prompt else caption


def words_before(sample: Worded) -> tuple[str, ...]:
    """The trigger words that are put before a picture's caption, unless it begins with them: none
    where the concept's prompt says where they stand."""
    prompt = sample.prompt.casefold()
    named = bool(prompt) and all(word.strip().casefold() in prompt for word in sample.trigger_words)
    return () if named else sample.trigger_words


def final_caption(draw: Draw, config: RunConfig) -> str:
    """The caption of one use of a picture, exactly as it is trained."""
    seed, sample = config.training.seed, draw.sample
    return compose(
        with_prompt(sample.prompt, sample.caption),
        config.captions,
        words_before(sample),
        key=lambda purpose: draw.key(seed, purpose),
        epoch=draw.epoch,
    )
