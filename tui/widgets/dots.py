"""A canvas of dots, two across and four down in each character."""

from __future__ import annotations

from itertools import pairwise

_FIRST = 0x2800
_BITS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""Of the Braille character's dots, by row and column."""


class Dots:
    """Dots in layers; in a character, the topmost layer that has a dot there is seen alone."""

    def __init__(self, columns: int, rows: int, layers: int) -> None:
        """``columns`` and ``rows`` count characters."""
        self.columns, self.rows = columns, rows
        self.width, self.height = columns * 2, rows * 4
        self._layers = [[bytearray(columns) for _ in range(rows)] for _ in range(layers)]

    def set(self, layer: int, x: int, y: int) -> None:
        """A dot; x from the left, y from the bottom. Outside, nothing happens."""
        if 0 <= x < self.width and 0 <= y < self.height:
            down = self.height - 1 - y
            self._layers[layer][down // 4][x // 2] |= _BITS[down % 4][x % 2]

    def column(self, layer: int, x: int, low: int, high: int, *, every: int = 1) -> None:
        """Dots from ``low`` to ``high``; with ``every`` 2 a chequered pattern."""
        for y in range(max(0, low), min(self.height - 1, high) + 1):
            if (x + y) % every == 0:
                self.set(layer, x, y)

    def line(self, layer: int, points: list[tuple[int, int]]) -> None:
        """A line through points that go from left to right."""
        for (x0, y0), (x1, y1) in pairwise(points):
            for x in range(x0, x1 + 1):
                share = (x - x0) / (x1 - x0) if x1 > x0 else 1.0
                self.set(layer, x, round(y0 + (y1 - y0) * share))
            # Between the heights of two columns side by side, nothing is left open.
            if x1 - x0 <= 1:
                self.column(layer, x1, min(y0, y1) + (y0 < y1), max(y0, y1) - (y0 > y1))
        for x, y in points[:1] if len(points) == 1 else []:
            self.set(layer, x, y)

    def row(self, row: int) -> list[tuple[str, int]]:
        """(character, its layer or -1) along a row, from the top."""
        cells: list[tuple[str, int]] = []
        for column in range(self.columns):
            for layer in reversed(range(len(self._layers))):
                if bits := self._layers[layer][row][column]:
                    cells.append((chr(_FIRST + bits), layer))
                    break
            else:
                cells.append((" ", -1))
        return cells
