"""Tables: drawn on a terminal, aligned text where a file or a program reads."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from ..core.text import printable


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Columns of numbers are aligned to the right; every cell is made safe to show."""
    cells = [[printable(str(cell)) for cell in row] for row in rows]
    is_number = [
        bool(rows) and all(isinstance(row[at], (int, float)) for row in rows)
        for at in range(len(columns))
    ]
    if sys.stdout.isatty():
        _draw(title, columns, cells, is_number)
    else:
        _align(title, columns, cells, is_number)


def _draw(
    title: str, columns: Sequence[str], cells: list[list[str]], is_number: list[bool]
) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=Text(title), title_justify="left", show_edge=False)
    for name, right in zip(columns, is_number, strict=True):
        table.add_column(name, justify="right" if right else "left", overflow="fold")
    for row in cells:
        table.add_row(*(Text(cell) for cell in row))
    Console().print(table, "")


def _align(
    title: str, columns: Sequence[str], cells: list[list[str]], is_number: list[bool]
) -> None:
    widths = [max(len(row[at]) for row in [list(columns), *cells]) for at in range(len(columns))]
    sys.stdout.write(f"{title}\n")
    for row in [list(columns), *cells]:
        parts = [
            text.rjust(width) if right else text.ljust(width)
            for text, width, right in zip(row, widths, is_number, strict=True)
        ]
        sys.stdout.write(f"  {'  '.join(parts).rstrip()}\n")
    sys.stdout.write("\n")
