"""A terminal that shows pictures: keeps what it is sent, and where which pixels stand."""

from __future__ import annotations

import fcntl
import io
import os
import re
import signal
import struct
import termios
from base64 import b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyte
from lora_wizard.tui.terminal.kitty import placeholder
from PIL import Image, ImageChops, ImageStat
from pyte.graphics import FG_BG_256
from terminal import Terminal

CELL = (10, 20)
STRING = re.compile(rb"\x1b([_P])(.*?)\x1b\\", re.DOTALL)
_BEGUN = re.compile(rb"\x1b(?:[_P].*)?$", re.DOTALL)
_MARK = {placeholder(n, n)[1]: n for n in range(297)}


@dataclass(frozen=True)
class Sent:
    """A picture of kitty's protocol."""

    picture: Image.Image
    columns: int
    rows: int


class _Screen(pyte.Screen):
    """A screen whose characters wipe away sixels."""

    def __init__(self, columns: int, lines: int) -> None:
        self.painted: dict[tuple[int, int], Image.Image] = {}
        super().__init__(columns, lines)

    def draw(self, data: str) -> None:
        for char in data:
            super().draw(char)
            self.painted.pop((self.cursor.x - 1, self.cursor.y), None)

    def reset(self) -> None:
        self.painted.clear()
        super().reset()


class PictureTerminal(Terminal):
    """`Terminal` with kitty's pictures and sixels; it answers the questions ``answers``."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        answers: Mapping[bytes, bytes],
        size: tuple[int, int] = (120, 40),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        environment = {"COLORTERM": "truecolor", **(environment or {})}
        super().__init__(command, size=size, environment=environment)
        self.screen: _Screen = _Screen(*size)
        self._characters = pyte.ByteStream(self.screen)
        self._stream = self  # type: ignore[assignment]
        self._answers = {**answers, b"\x1b[16t": b"\x1b[6;%d;%dt" % CELL[::-1]}
        self._has_all_colours = bool(environment["COLORTERM"])
        self._rest = b""
        self._chunks = b""
        self._keys: dict[str, str] = {}
        self.sent: dict[int, Sent] = {}
        """What was given by kitty's protocol and not taken away since, by number."""
        self.deleted: list[int] = []
        self.sixels: list[Image.Image] = []

    def feed(self, data: bytes) -> None:
        """Take what the program writes."""
        for question, answer in self._answers.items():
            if question in data:
                os.write(self._master, answer)
        data, self._rest = self._rest + data, b""
        at = 0
        for found in STRING.finditer(data):
            self._characters.feed(data[at : found.start()])
            self._take(found[1], found[2])
            at = found.end()
        rest = data[at:]
        if begun := _BEGUN.search(rest):
            rest, self._rest = rest[: begun.start()], rest[begun.start() :]
        self._characters.feed(rest)

    def resize(self, columns: int, rows: int) -> None:
        """As when the window is pulled."""
        self.screen.resize(rows, columns)
        self.screen.painted.clear()
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        os.kill(self.pid, signal.SIGWINCH)

    def numbers(self) -> dict[int, list[tuple[int, int, int, int]]]:
        """Which pictures stand where: (x, y, row, column) of their cells, by number."""
        found: dict[int, list[tuple[int, int, int, int]]] = {}
        for y in range(self.screen.lines):
            for x in range(self.screen.columns):
                cell = self.screen.buffer[y][x]
                if cell.data[:1] == placeholder(0, 0)[0] and len(cell.data) == 3:
                    place = (x, y, _MARK[cell.data[1]], _MARK[cell.data[2]])
                    found.setdefault(self._number(cell.fg), []).append(place)
        return found

    def whole(self) -> list[int]:
        """The pictures of which every cell is seen, the leftmost first."""
        cells = self.numbers()
        return sorted(
            (
                number
                for number, sent in self.sent.items()
                if len(cells.get(number, ())) == sent.columns * sent.rows
            ),
            key=lambda number: min(cells[number]),
        )

    def _number(self, colour: str) -> int:
        """What pyte gives as red, green and blue."""
        return int(colour, 16) if self._has_all_colours else FG_BG_256.index(colour)

    def seen(self, number: int) -> Image.Image:
        """A picture of kitty's protocol as the cells show it, in pixels."""
        cells, sent = self.numbers()[number], self.sent[number]
        whole = sent.picture.resize((sent.columns * CELL[0], sent.rows * CELL[1]))
        left, top = min(x for x, *_ in cells), min(y for _, y, *_ in cells)
        result = Image.new("RGB", whole.size)
        for x, y, row, column in cells:
            result.paste(_cell(whole, column, row), ((x - left) * CELL[0], (y - top) * CELL[1]))
        return result

    def painted(self) -> Image.Image:
        """What is left of sixels, in pixels."""
        cells = self.screen.painted
        left, top = (min(place[axis] for place in cells) for axis in (0, 1))
        right, bottom = (max(place[axis] for place in cells) + 1 for axis in (0, 1))
        result = Image.new("RGB", ((right - left) * CELL[0], (bottom - top) * CELL[1]))
        for (x, y), picture in cells.items():
            result.paste(picture, ((x - left) * CELL[0], (y - top) * CELL[1]))
        return result

    def _take(self, kind: bytes, content: bytes) -> None:
        if kind == b"P":
            picture = decoded_sixels(content)
            self.sixels.append(picture)
            cursor = self.screen.cursor
            for column in range(-(-picture.width // CELL[0])):
                for row in range(-(-picture.height // CELL[1])):
                    place = (cursor.x + column, cursor.y + row)
                    self.screen.painted[place] = _cell(picture, column, row)
            return
        control, _, data = content[1:].decode().partition(";")
        keys = dict(part.split("=") for part in control.split(","))
        if keys.get("a") == "q":
            return
        if keys.get("a") == "d":
            self.deleted.append(int(keys["i"]))
            self.sent.pop(int(keys["i"]), None)
            return
        assert len(data) <= 4096
        self._keys = self._keys or keys
        self._chunks += data.encode()
        if keys["m"] == "0":
            picture = Image.open(io.BytesIO(b64decode(self._chunks, validate=True)))
            assert self._keys["U"] == "1"
            columns, rows = int(self._keys["c"]), int(self._keys["r"])
            self.sent[int(self._keys["i"])] = Sent(picture.convert("RGB"), columns, rows)
            self._chunks, self._keys = b"", {}


def decoded_sixels(content: bytes) -> Image.Image:
    """The picture that ``P1;P2;P3q...`` paints."""
    _, body = content.split(b"q", 1)
    raster, body = re.fullmatch(rb'"([\d;]+)(.*)', body, re.DOTALL).groups()  # type: ignore[union-attr]
    width, height = map(int, raster.split(b";")[2:])
    picture = Image.new("RGB", (width, height))
    pixels = picture.load()
    assert pixels is not None
    palette: dict[int, tuple[int, ...]] = {}
    colour, x, top = (0, 0, 0), 0, 0
    for match in re.finditer(rb"#([\d;]+)|!(\d+)(.)|([?-~])|([$-])", body, re.DOTALL):
        definition, count, repeated, single, move = match.groups()
        if definition:
            number, *rest = map(int, definition.split(b";"))
            if rest:
                palette[number] = tuple(round(part * 255 / 100) for part in rest[1:])
            colour = palette[number]
        elif move:
            x, top = 0, top + (6 if move == b"-" else 0)
        else:
            bits = (repeated or single)[0] - 63
            end = x + int(count or 1)
            for bit in (bit for bit in range(6) if bits >> bit & 1):
                for column in range(x, end):
                    pixels[column, top + bit] = colour
            x = end
    return picture


def difference(one: Image.Image, other: Image.Image) -> float:
    """Mean over all channels, of 255; the second is scaled to the first."""
    scaled = other.convert("RGB").resize(one.size, Image.Resampling.LANCZOS)
    return max(ImageStat.Stat(ImageChops.difference(one, scaled)).mean)


def _cell(picture: Image.Image, column: int, row: int) -> Image.Image:
    left, top = column * CELL[0], row * CELL[1]
    return picture.crop((left, top, left + CELL[0], top + CELL[1]))
