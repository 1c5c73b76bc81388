"""Screens in tests: a home of their own, and snapshots that a person can read.

A snapshot is the text of the screen, one file per screen and size in `tests/tui/snapshots`.
`UPDATE_SCREENS=1 pytest ...` writes them anew; the difference is for people to look at.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from lora_wizard.core.hardware import hardware
from textual.app import App
from textual.pilot import Pilot

SNAPSHOTS = Path(__file__).parent / "tui" / "snapshots"
SIZES = [(80, 24), (120, 40)]
PATIENCE = 60.0
"""Seconds after which what is waited for is said not to come; never how long something may take."""
_STANDS_FOR_HOME = "/tmp/at-home-here"


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty home, which is also the working folder: no draft, run, cache or token of anybody's.
    Its path always has the same length, so that it fills the same cells."""
    folder = Path(tempfile.mkdtemp(prefix="walk", dir="/tmp"))
    for name in ("XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "HF_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name in ("SSH_CONNECTION", "NO_COLOR", "ACCESSIBLE", "TMUX"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    # A screen looks the same whatever GPU the machine has.
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    hardware.cache_clear()
    # Other tests install a model family; a screen shows those that come along.
    monkeypatch.setattr(sys, "path", [path for path in sys.path if not _brings_plugins(path)])
    monkeypatch.chdir(folder)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def _brings_plugins(path: str) -> bool:
    return any(Path(path).glob("toy*.dist-info"))


def screen_text(app: App[Any]) -> str:
    """What stands on the screen, line by line, without colours."""
    strips = app.screen._compositor.render_strips()
    return "\n".join(strip.text.rstrip() for strip in strips) + "\n"


async def until(pilot: Pilot[Any], condition: Callable[[], object]) -> None:
    """Wait for what a thread or another process does."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, screen_text(pilot.app)
        await pilot.pause(0.01)
    await pilot.pause()


async def at_rest(pilot: Pilot[Any]) -> None:
    """Wait until no thread works, nothing is put off, and everything is shown."""
    deadline, looks = time.monotonic() + PATIENCE, 0
    while looks < 2:
        await pilot.pause()
        looks = 0 if _is_busy(pilot.app) else looks + 1
        assert time.monotonic() < deadline, screen_text(pilot.app)


def _is_busy(app: App[Any]) -> bool:
    if any(not worker.is_finished for worker in app.workers):
        return True
    timers = [timer for pump in (app, app.screen) for timer in pump._timers]
    tasks = [timer._task for timer in timers if timer._repeat is not None]
    return any(task and not task.done() for task in tasks)


def check_snapshot(app: App[Any], name: str, home: Path) -> None:
    """Compare the screen with the snapshot ``name`` of the app's size."""
    width, height = app.size
    path = SNAPSHOTS / f"{name}-{width}x{height}.txt"
    text = screen_text(app).replace(str(home), _STANDS_FOR_HOME)
    if os.environ.get("UPDATE_SCREENS"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    assert path.exists(), f"no snapshot: UPDATE_SCREENS=1 writes {path.name}; look at it"
    assert text == path.read_text(), f"{path.name} differs: UPDATE_SCREENS=1 if it should"
