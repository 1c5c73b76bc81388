"""The lists of words that pictures are compared with: one line each, ``#`` before a remark."""

from __future__ import annotations

import os
from pathlib import Path

from ..core.errors import WizardError

LISTS = (
    "medium",
    "subject",
    "action",
    "setting",
    "time",
    "composition",
    "lighting",
    "tones",
    "mood",
    "style",
)
"""Those that come along, in the order in which a caption has them."""
_FOLDER = Path(__file__).parent / "words"
_MOST_BYTES = 1 << 20


class WordListError(WizardError):
    """A list of words cannot be read, or there is none of that name."""


def list_path(name: str) -> Path:
    """The file of one of `LISTS`. Raises WordListError."""
    if name not in LISTS:
        raise WordListError(
            f'There is no list of words called "{name}"', "", f"There are: {', '.join(LISTS)}."
        )
    return _FOLDER / f"{name}.txt"


def read_words(path: Path) -> list[str]:
    """The words or phrases in ``path``, each once, in its order. Raises WordListError."""
    # Unlike Path.is_file, this is no error where a folder on the way may not be looked into.
    if not os.path.isfile(path):  # noqa: PTH113
        raise WordListError(
            "The list of words is no file", str(path), "Give a text file with a phrase in a line."
        )
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise WordListError(
                "The list of words is too long", f"{path}: more than 1 MB", "Make it shorter."
            )
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise WordListError(
            "The list of words cannot be read", f"{path}: {error}", "Save it as UTF-8."
        ) from error
    phrases = (" ".join(line.split()) for line in lines)
    words = list(dict.fromkeys(word for word in phrases if word and not word.startswith("#")))
    if not words or not all(word.isprintable() for word in words):
        raise WordListError(
            "The list has no words in it" if not words else "The list holds control characters",
            str(path),
            "It is a text file with a phrase in each line.",
        )
    return words
