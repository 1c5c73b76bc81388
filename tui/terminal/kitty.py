"""Pictures by kitty's graphics protocol, placed by characters.

A picture is sent once, under a number. Where it stands is said by ordinary characters: a
placeholder in the colour of the number, with two combining characters for the row and the column
of the picture that the cell shows. So whatever moves, covers or clears characters does the same
to the picture, and none stays behind.
"""

from __future__ import annotations

from base64 import standard_b64encode

_PLACEHOLDER = "\U0010eeee"
_LONGEST = 4096
"""Bytes of base64 in one command."""
_MARKS = """
305 30d-30e 310 312 33d-33f 346 34a-34c 350-352 357 35b 363-36f 483-487 592-595 597-599 59c-5a1
5a8-5a9 5ab-5ac 5af 5c4 610-617 657-65b 65d-65e 6d6-6dc 6df-6e2 6e4 6e7-6e8 6eb-6ec 730 732-733
735-736 73a 73d 73f-741 743 745 747 749-74a 7eb-7f1 7f3 816-819 81b-823 825-827 829-82d 951 953-954
f82-f83 f86-f87 135d-135f 17dd 193a 1a17 1a75-1a7c 1b6b 1b6d-1b73 1cd0-1cd2 1cda-1cdb 1ce0 1dc0-1dc1
1dc3-1dc9 1dcb-1dcc 1dd1-1de6 1dfe 20d0-20d1 20d4-20d7 20db-20dc 20e1 20e7 20e9 20f0 2cef-2cf1
2de0-2dff a66f a67c-a67d a6f0-a6f1 a8e0-a8f1 aab0 aab2-aab3 aab7-aab8 aabe-aabf aac1 fe20-fe26 10a0f
10a38 1d185-1d189 1d1aa-1d1ad 1d242-1d244
"""


def _characters(ranges: str) -> str:
    found: list[str] = []
    for part in ranges.split():
        first, _, last = part.partition("-")
        found += map(chr, range(int(first, 16), int(last or first, 16) + 1))
    return "".join(found)


_NUMBERS = _characters(_MARKS)
"""The combining characters that stand for 0, 1, 2..., as the protocol has them."""
MOST_CELLS = len(_NUMBERS)
"""Rows, and columns, that can be numbered."""


def send(number: int, png: bytes, columns: int, rows: int, *, through_tmux: bool = False) -> str:
    """Give the terminal a picture, to stand in ``columns`` x ``rows`` cells wherever placeholders
    of ``number`` are. It answers nothing."""
    data = standard_b64encode(png).decode("ascii")
    chunks = [data[at : at + _LONGEST] for at in range(0, len(data), _LONGEST)]
    keys = f"a=T,U=1,q=2,f=100,i={number},c={columns},r={rows}"
    commands: list[str] = []
    for index, chunk in enumerate(chunks):
        more = int(index < len(chunks) - 1)
        commands.append(_command(f"{keys if not index else 'q=2'},m={more};{chunk}", through_tmux))
    return "".join(commands)


def delete(number: int, *, through_tmux: bool = False) -> str:
    """Let the terminal forget a picture."""
    return _command(f"a=d,d=I,q=2,i={number}", through_tmux)


def placeholder(row: int, column: int) -> str:
    """The character, one cell wide, that shows this cell of the picture whose number is its
    colour. Each says both its row and its column, so that it may stand alone."""
    return _PLACEHOLDER + _NUMBERS[row] + _NUMBERS[column]


def _command(content: str, through_tmux: bool) -> str:
    command = f"\x1b_G{content}\x1b\\"
    if through_tmux:
        doubled = command.replace("\x1b", "\x1b\x1b")
        return f"\x1bPtmux;{doubled}\x1b\\"
    return command
