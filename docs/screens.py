"""Draws the pictures of the screens that the README shows: ``make pictures``.

Each is the real screen, on the demo's pictures and a run of the demo that is trained for it, so
that they stay true. SVG, which a browser shows sharp at any size.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

from lora_wizard.core.config.paths import templates_folder
from lora_wizard.core.run.directory import RunDirectory
from lora_wizard.tui.app import WizardApp
from lora_wizard.tui.walk.draft import Draft
from textual.pilot import Pilot

OUT = Path(__file__).with_name("pictures")
SIZE = (110, 34)
_FONT = 'ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace'

Scene = Callable[[WizardApp, Pilot[None], RunDirectory], Awaitable[None]]


async def dataset(app: WizardApp, pilot: Pilot[None], run: RunDirectory) -> None:
    """A folder of pictures and what was found in it."""
    await _step(app, pilot, "dataset")


async def captions(app: WizardApp, pilot: Pilot[None], run: RunDirectory) -> None:
    """A caption beside its picture."""
    await _step(app, pilot, "captions")


async def repeats(app: WizardApp, pilot: Pilot[None], run: RunDirectory) -> None:
    """The arithmetic."""
    await _step(app, pilot, "repeats")


async def parameters(app: WizardApp, pilot: Pilot[None], run: RunDirectory) -> None:
    """The settings that matter."""
    await _step(app, pilot, "parameters")


async def review(app: WizardApp, pilot: Pilot[None], run: RunDirectory) -> None:
    """All of it before the start."""
    await _step(app, pilot, "review")


async def train(app: WizardApp, pilot: Pilot[None], run: RunDirectory) -> None:
    """The monitor."""
    app.watch_run(run)
    await _settle(pilot)


async def results(app: WizardApp, pilot: Pilot[None], run: RunDirectory) -> None:
    """Every epoch's pictures in one grid."""
    app.show_results(run)
    await _settle(pilot)


SCENES: tuple[Scene, ...] = (dataset, captions, repeats, parameters, review, train, results)


def main() -> None:
    """Train the demo, draw every scene."""
    OUT.mkdir(exist_ok=True)
    # A path that says nothing of the machine, and is as short as a person's.
    home = Path("/tmp/you")
    home.mkdir()
    shutil.copytree(templates_folder() / "demo" / "pictures", home / "pictures")
    os.environ.update(
        HOME=str(home), TERM="xterm-256color", COLORTERM="truecolor", HF_HUB_OFFLINE="1"
    )
    for name in ("XDG_STATE_HOME", "XDG_CACHE_HOME", "NO_COLOR", "SSH_CONNECTION"):
        os.environ.pop(name, None)
    os.chdir(home)
    command = [sys.executable, "-m", "lora_wizard.tui.cli", "demo", "--folder", "runs"]
    subprocess.run(command, check=True)
    run = RunDirectory(home / "runs" / "zibbu")
    for scene in SCENES:
        path = OUT / f"{scene.__name__}.svg"
        path.write_text(asyncio.run(_drawn(scene, run)), encoding="utf-8")
        sys.stdout.write(f"{path}\n")
    shutil.rmtree(home)


async def _drawn(scene: Scene, run: RunDirectory) -> str:
    app = WizardApp()
    async with app.run_test(size=SIZE) as pilot:
        await scene(app, pilot, run)
        picture = app.export_screenshot(title="lora-wizard")
    return _tidied(picture)


async def _step(app: WizardApp, pilot: Pilot[None], name: str) -> None:
    draft = Draft.new("demo")
    draft.enter("dataset.folder", "pictures")
    draft.step = name
    app.begin(draft)
    await _settle(pilot)


async def _settle(pilot: Pilot[None]) -> None:
    """Wait for the threads that read pictures and events, and for what they start in turn."""
    for _ in range(5):
        await pilot.pause(0.2)
        for worker in list(pilot.app.workers):
            if not worker.is_finished and worker.group != "tail":
                await asyncio.wait({asyncio.ensure_future(worker.wait())}, timeout=2.0)
    await pilot.pause()


def _tidied(svg: str) -> str:
    """Without fonts from elsewhere: the reader's own monospaced one does."""
    svg = re.sub(r"@font-face\s*\{[^}]*\}", "", svg)
    svg = re.sub(r"font-family:\s*Fira Code[^;]*;", f"font-family: {_FONT};", svg)
    return re.sub(r"[ \t]+\n", "\n", svg)


if __name__ == "__main__":
    main()
