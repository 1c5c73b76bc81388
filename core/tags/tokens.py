"""How long the longest caption of a set is to the text encoder, and the setting that follows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..config import CaptionOptions
from ..dataset.caption_review import Length, fitting_length, length_problems, lengths
from ..errors import Mend, Problem
from .entries import Entry


@dataclass(frozen=True)
class Longest:
    """The longest caption, with its trigger words, prefix and all."""

    picture: Path
    tokens: int
    is_exact: bool
    """False where no tokenizer is on this machine: it may be more."""
    fitting: int
    """What ``captions.max_tokens`` is to be."""
    most: int
    """What it is."""
    problems: tuple[Problem, ...] = ()

    @property
    def mends(self) -> tuple[Mend, ...]:
        """What sets it so; none where it is so, or cannot be told."""
        return tuple(mend for problem in self.problems for mend in problem.mends)

    @property
    def words(self) -> str:
        """As one would say it; the picture's name is not yet safe to show."""
        about = "" if self.is_exact else "at least "
        said = f"Longest caption: {about}{self.tokens} tokens ({self.picture.name})"
        if self.tokens > self.most:
            return (
                f"{said}; {self.most} are trained, captions.max_tokens = {self.fitting} is better."
            )
        if self.mends:
            return f"{said}; captions.max_tokens = {self.fitting} is enough."
        return f"{said}; all of it is trained."


def longest(
    entries: Sequence[Entry], options: CaptionOptions, vocabulary: Path | None
) -> Longest | None:
    """Count ``entries`` as CLIP's tokenizer cuts them, in ``vocabulary``; None without captions.

    Takes a process of its own and a moment, the longer the more captions are new.
    """
    worded = [entry for entry in entries if entry.caption]
    if not worded:
        return None
    found, is_exact = lengths(worded, options, vocabulary)
    top: Length = max(found, key=lambda length: length.tokens)
    return Longest(
        top.sample.path,
        top.tokens,
        is_exact,
        fitting_length(top.tokens),
        options.max_tokens,
        tuple(length_problems(found, is_exact, options.max_tokens)),
    )
