"""Names and captions that would command a terminal: what of them reaches it, byte by byte.

The app runs in a process of its own on a real pty. A screen is added to `SCREENS`.
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from lora_wizard.tui.walk.draft import Draft
from PIL import Image

MARK = "zq"
"""Stands in every hostile text, so that it is seen whether the text was shown at all."""
TEXTS = (
    f"\x1b]52;c;{MARK}evil\x07",
    f"\x1b[31;5m{MARK}\x1b[2J",
    f"\x1bP{MARK}\x1b\\",
    f"\x9b31m{MARK}\x9d0;title\x9c",
    f"[red]{MARK}[/red][/b] [@click=app.quit]x[/]",
    f"\u202e{MARK}\u2066\u200b\u200f\ufeff",
    f"{MARK}\r\n\x08\x7f\x00\x0c",
    MARK + "x" * 5000,
)
BIDI = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
OURS = re.compile(
    rb"\x1b\[[0-9;?<>=]*[ -/]*[@-~]"  # CSI, as the screen is drawn with
    rb"|\x1b[=>78]"
    rb"|\x1b\]22;[a-z-]*\x07"  # the shape of the mouse pointer
)
THEIRS = (b"\x1b]52", b"\x1b]0;", b"\x1b[31;5m", b"\x1bP", b"\x9b31m", b"\x1b\\", b"\x07")
RUN = """
import sys
from pathlib import Path
from lora_wizard.tui.app import WizardApp
from lora_wizard.tui.walk.draft import Draft
WizardApp(draft=Draft.load(Path(sys.argv[1]))).run(mouse=False)
"""


@dataclass(frozen=True)
class Shown:
    """A step to look at, and keys that lead through all that it shows."""

    step: str
    keys: tuple[bytes, ...] = ()


PAGE_DOWN, F4, F5, F6, ESCAPE = b"\x1b[6~", b"\x1bOS", b"\x1b[15~", b"\x1b[17~", b"\x1b"
SCREENS = (
    Shown("dataset", (b"\t", b"\t")),
    Shown("captions", (*[PAGE_DOWN] * 9, F4, b"z", F5, ESCAPE, F6)),
)


@pytest.fixture
def pictures(home: Path) -> Path:
    """Pictures with hostile names, with hostile captions, and with both."""
    folder = home / "pictures"
    folder.mkdir()
    for number, text in enumerate(TEXTS):
        caption = text.replace("\x00", "")
        name = caption.replace("/", "|").encode("utf-8")[:100].decode("utf-8", "ignore")
        for path in (folder / f"{number}.png", folder / f"{number}{name}.png"):
            Image.new("RGB", (64, 64), (0, 99, 0)).save(path)
            path.with_name(path.name[:-4] + ".txt").write_text(caption)
    Image.new("RGB", (64, 64)).save(folder / os.fsdecode(b"9\xff\xfe" + MARK.encode() + b".png"))
    return folder


def hostile_draft(pictures: Path, step: str) -> Draft:
    draft = Draft.new("style")
    draft.put("model.base", "embedded:demo")
    draft.put("dataset.folder", str(pictures))
    draft.put("dataset.regularization_folder", None)
    draft.put("captions.trigger_words", [text for text in TEXTS[:-1] if "\r" not in text])
    draft.put("captions.prefix", TEXTS[0])
    draft.put("output.name", "lora")
    draft.step = step
    draft.keep()
    return draft


class Pty:
    """A program on a terminal of 120x40."""

    def __init__(self, arguments: list[str]) -> None:
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
            os.environ.update(TERM="xterm-256color", COLORTERM="truecolor")
            os.execv(sys.executable, [sys.executable, *arguments])
        self.output = b""

    def wait_for(self, text: bytes, seconds: float = 60.0) -> None:
        """Read until ``text`` was written; fails when it never is."""
        deadline = time.monotonic() + seconds
        while text not in self.output:
            assert self.read(deadline - time.monotonic()), self.output[-2000:]

    def settle(self) -> None:
        """Read until nothing more is written."""
        while self.read(0.4):
            pass

    def read(self, seconds: float) -> bool:
        if seconds <= 0 or not select.select([self.master], [], [], seconds)[0]:
            return False
        try:
            block = os.read(self.master, 1 << 16)
        except OSError:
            return False
        self.output += block
        return bool(block)

    def close(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.master)


@pytest.fixture
def terminals() -> Iterator[list[Pty]]:
    opened: list[Pty] = []
    yield opened
    for terminal in opened:
        terminal.close()


@pytest.mark.parametrize("shown", SCREENS, ids=lambda shown: shown.step)
def test_no_screen_lets_a_name_or_a_caption_command_the_terminal(
    shown: Shown, pictures: Path, home: Path, terminals: list[Pty]
) -> None:
    draft = hostile_draft(pictures, shown.step)
    terminal = Pty(["-c", RUN, str(draft.path)])
    terminals.append(terminal)
    terminal.wait_for(b"of 17" if shown.step == "captions" else MARK.encode())
    terminal.settle()
    for key in shown.keys:
        os.write(terminal.master, key)
        terminal.settle()
    output = terminal.output
    assert MARK.encode() in output
    rest = OURS.sub(b"", output)
    assert not [raw for raw in THEIRS if raw in rest or (len(raw) > 3 and raw in output)]
    assert b"\x1b" not in rest
    text = rest.decode("utf-8", "strict")
    assert not BIDI.search(text)
    assert not re.search("[\x80-\x9f\x00-\x07\x0b\x0c\x0e-\x1a\x7f]", text)
    assert b"Traceback" not in output
