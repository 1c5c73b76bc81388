"""Text from files, made safe to show: a file name or a caption never commands the terminal."""

from __future__ import annotations

import unicodedata

_UNSAFE_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Controls (escape sequences begin with one), formats (bidi overrides, zero widths), surrogates,
private use, unassigned, line and paragraph separators."""


def printable(text: str, *, keep_newlines: bool = False, limit: int | None = None) -> str:
    """``text`` with everything that a terminal could obey written as a visible escape.

    ``keep_newlines`` for our own messages of several lines; ``limit`` shortens with an ellipsis.
    """
    shown = "".join(
        char if (keep_newlines and char == "\n") or _is_safe(char) else _escape(char)
        for char in text
    )
    if limit is not None and len(shown) > limit:
        return shown[: max(0, limit - 1)] + "…"
    return shown


def with_stand_ins(text: str) -> str:
    """``text`` with one visible character in place of each that a terminal could obey, so that
    places in the text stay the same: for fields with a cursor. Tabs stay."""
    return text if text.isascii() and text.isprintable() else text.translate(_STAND_INS)


def _is_safe(char: str) -> bool:
    return unicodedata.category(char) not in _UNSAFE_CATEGORIES


def _escape(char: str) -> str:
    code = ord(char)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


class _StandIns(dict[int, int]):
    """Code -> the code of what is shown for it."""

    def __missing__(self, code: int) -> int:
        if code == 0x09 or _is_safe(chr(code)):
            shown = code
        elif code < 0x20:
            shown = 0x2400 + code
        else:
            shown = 0x2421 if code == 0x7F else 0xFFFD
        self[code] = shown
        return shown


_STAND_INS = _StandIns()
