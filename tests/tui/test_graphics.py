"""Pictures that the terminal itself draws: read back, as pixels, from the bytes that reach it."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from finished_run import make
from graphics import STRING, PictureTerminal, decoded_sixels, difference
from lora_wizard.core.run.directory import RunDirectory
from lora_wizard.tui.terminal.sixel import sixels
from PIL import Image
from terminal import WIZARD

KITTY = {b"\x1b_Gi=31": b"\x1b_Gi=31;OK\x1b\\", b"\x1b[c": b"\x1b[?62c"}
SIXEL = {b"\x1b[c": b"\x1b[?62;4;22c"}
NEITHER = {b"\x1b[c": b"\x1b[?62c"}
SSH = {"SSH_CONNECTION": "10.0.0.1 5 10.0.0.2 22"}
SCALED, DITHERED = 3, 8
"""Of 255, the most that a picture may differ from its file, in the mean."""
Opener = Callable[..., PictureTerminal]


def gradient(width: int, height: int, seed: int = 0) -> Image.Image:
    """A picture no two parts of which are alike."""
    across = Image.linear_gradient("L").rotate(90).resize((width, height))
    down = Image.linear_gradient("L").resize((width, height))
    tiles = Image.frombytes("L", (5, 5), bytes((seed + 90 * at) % 256 for at in range(25)))
    return Image.merge("RGB", (across, down, tiles.resize((width, height), 0)))


@pytest.fixture
def run(home: Path) -> RunDirectory:
    run = make(home / "out", prompts=("mika",))
    for seed, path in enumerate(sorted(run.samples_path.iterdir())):
        gradient(360, 300, seed * 60).save(path)
    return run


@pytest.fixture
def opened(run: RunDirectory) -> Iterator[Opener]:
    terminals: list[PictureTerminal] = []

    def opener(
        answers: Mapping[bytes, bytes],
        *words: str,
        environment: Mapping[str, str] | None = None,
        command: tuple[str, ...] = (),
    ) -> PictureTerminal:
        command = command or (*WIZARD, "attach", str(run.path), *words)
        terminal = PictureTerminal(command, answers=answers, environment=environment)
        terminals.append(terminal)
        terminal.wait_for("epoch 3")
        return terminal

    yield opener
    for terminal in terminals:
        terminal.kill()


def newest(run: RunDirectory) -> Image.Image:
    return Image.open(max(run.samples_path.iterdir()))


def is_painted(terminal: PictureTerminal, run: RunDirectory) -> bool:
    """Whether the newest picture stands there as sixels, all of it."""
    if not terminal.screen.painted:
        return False
    painted = terminal.painted()
    is_whole = painted.size == terminal.sixels[-1].size
    return is_whole and difference(painted, newest(run)) < DITHERED


def enlarge(terminal: PictureTerminal) -> None:
    """From the monitor: the pictures alone, the newest of them large."""
    terminal.press("2v")
    terminal.wait_for("esc: back")


@pytest.mark.parametrize("colours", ["truecolor", ""])
def test_kitty_pictures_are_the_files_and_go_with_their_screens(
    opened: Opener, run: RunDirectory, colours: str
) -> None:
    terminal = opened(KITTY, environment={"COLORTERM": colours})
    terminal.wait_for(lambda: len(terminal.whole()) == 2)
    files = [Image.open(path) for path in sorted(run.samples_path.iterdir())]
    shown = [terminal.seen(number) for number in terminal.whole()]
    for picture, file in zip(shown, (files[0], files[-1]), strict=True):
        assert difference(picture, file) < SCALED
    enlarge(terminal)
    terminal.wait_for(lambda: len(terminal.numbers()) == len(terminal.whole()) == 1)
    (large,) = terminal.whole()
    assert terminal.sent[large].picture.tobytes() == newest(run).convert("RGB").tobytes()
    assert difference(terminal.seen(large), newest(run)) < SCALED
    terminal.press("\x1b")
    terminal.wait_for(lambda: large in terminal.deleted and "loss" in terminal.text)
    terminal.wait_for(lambda: terminal.numbers() and large not in terminal.numbers())
    assert set(terminal.numbers()) <= set(terminal.sent)


def test_what_is_laid_over_kitty_pictures_hides_them(opened: Opener) -> None:
    terminal = opened(KITTY)
    terminal.wait_for(lambda: len(terminal.whole()) == 2)
    cells = terminal.numbers()
    terminal.press("\x10")
    terminal.wait_for("Search")
    # What still shines through has other colours, which are no picture's numbers.
    terminal.wait_for(lambda: not set(terminal.numbers()) & set(terminal.sent))
    terminal.press("\x1b")
    terminal.wait_for(lambda: terminal.numbers() == cells)


def test_kitty_pictures_have_the_size_of_the_window(opened: Opener, run: RunDirectory) -> None:
    terminal = opened(KITTY)
    enlarge(terminal)
    terminal.wait_for(lambda: len(terminal.whole()) == 1)
    (before,) = terminal.whole()
    terminal.resize(90, 26)
    terminal.wait_for(lambda: terminal.whole() and before not in terminal.whole())
    (number,) = terminal.whole()
    assert difference(terminal.seen(number), newest(run)) < SCALED
    assert set(terminal.sent) >= {number}


def test_sixels_are_the_file_and_leave_nothing_behind(opened: Opener, run: RunDirectory) -> None:
    terminal = opened(SIXEL)
    terminal.wait_for("newest")
    assert not terminal.sixels
    enlarge(terminal)
    terminal.wait_for(lambda: terminal.sixels)
    terminal.wait_for(lambda: is_painted(terminal, run))
    assert terminal.painted().size == terminal.sixels[-1].size
    terminal.press("\x10")
    terminal.wait_for("Search")
    terminal.wait_for(lambda: not terminal.screen.painted)
    terminal.press("\x1b")
    terminal.wait_for(lambda: is_painted(terminal, run))
    terminal.press("\x1b")
    terminal.wait_for("loss")
    terminal.wait_for(lambda: not terminal.screen.painted)


def test_sixels_are_painted_anew_where_the_window_has_another_size(
    opened: Opener, run: RunDirectory
) -> None:
    terminal = opened(SIXEL)
    enlarge(terminal)
    terminal.wait_for(lambda: terminal.sixels)
    size = terminal.painted().size
    terminal.resize(90, 26)
    terminal.wait_for(lambda: len(terminal.sixels) > 1)
    assert terminal.painted().size < size
    terminal.wait_for(lambda: is_painted(terminal, run))


def test_no_sixel_covers_a_word_that_pops_up(opened: Opener, run: RunDirectory) -> None:
    terminal = opened(SIXEL)
    enlarge(terminal)
    terminal.wait_for(lambda: terminal.sixels)
    terminal.resize(70, 22)
    terminal.wait_for("fits from 80x24 on")
    row = next(at for at, line in enumerate(terminal.text.splitlines()) if "80x24" in line)
    start = terminal.text.splitlines()[row].index("Everything")
    assert not [x for x in range(start, 70) if (x, row) in terminal.screen.painted]
    count = len(terminal.sixels)
    # It goes by itself, and the picture is whole again.
    terminal.wait_for(lambda: "80x24" not in terminal.text and len(terminal.sixels) > count)
    terminal.wait_for(lambda: is_painted(terminal, run))


@pytest.mark.parametrize("answers", [KITTY, SIXEL], ids=["kitty", "sixel"])
def test_over_ssh_the_enlarged_picture_is_in_full(
    opened: Opener, run: RunDirectory, answers: Mapping[bytes, bytes]
) -> None:
    terminal = opened(answers, environment=SSH)
    terminal.wait_for("newest")
    terminal.wait_for("▀")
    assert not terminal.sent and not terminal.sixels
    enlarge(terminal)
    if answers is KITTY:
        terminal.wait_for(terminal.whole)
        assert difference(terminal.seen(*terminal.numbers()), newest(run)) < SCALED
    else:
        terminal.wait_for(lambda: terminal.sixels)
        terminal.wait_for(lambda: is_painted(terminal, run))


@pytest.mark.parametrize("kind", ["kitty", "sixel", "half", "none"])
def test_each_choice_draws_as_it_says(opened: Opener, run: RunDirectory, kind: str) -> None:
    terminal = opened(NEITHER, "--images", kind)
    enlarge(terminal)
    if kind == "kitty":
        terminal.wait_for(terminal.whole)
    elif kind == "sixel":
        terminal.wait_for(lambda: terminal.sixels)
    elif kind == "half":
        terminal.wait_for("▀")
    else:
        terminal.wait_for("360x300")
    assert bool(terminal.sent) == (kind == "kitty")
    assert bool(terminal.sixels) == (kind == "sixel")
    assert ("▀" in terminal.written.decode(errors="ignore")) == (kind in ("half", "sixel"))


@pytest.mark.skipif(not shutil.which("tmux"), reason="needs tmux")
@pytest.mark.parametrize("passes", ["on", "off"])
def test_through_tmux(opened: Opener, run: RunDirectory, home: Path, passes: str) -> None:
    socket, config = home / "tmux", home / "tmux.conf"
    config.write_text(
        f"set -g allow-passthrough {passes}\nset -as terminal-features ',*:RGB'\nset -g status off"
    )
    wizard = (*WIZARD, "attach", str(run.path), "--images", "kitty")
    tmux = ("tmux", "-S", str(socket), "-f", str(config))
    words = ("new-session", "env", "COLORTERM=truecolor", *wizard)
    try:
        terminal = opened(KITTY, command=(*tmux, *words))
        if passes == "on":
            terminal.wait_for(lambda: len(terminal.whole()) == 2)
            first, last = sorted(run.samples_path.iterdir())[0], newest(run)
            for number, file in zip(terminal.whole(), (Image.open(first), last), strict=True):
                assert difference(terminal.seen(number), file) < SCALED
        else:
            terminal.wait_for("allow-passthrough")
            terminal.wait_for("▀")
            assert not terminal.sent
    finally:
        subprocess.run([*tmux, "kill-server"], check=False)


@pytest.mark.parametrize("size", [(1, 1), (7, 5), (300, 6), (64, 200)])
def test_sixels_decode_to_the_picture(size: tuple[int, int]) -> None:
    picture = gradient(*size)
    (string,) = STRING.findall(sixels(picture).encode())
    decoded = decoded_sixels(string[1])
    assert decoded.size == size
    assert difference(decoded, picture) < 6
