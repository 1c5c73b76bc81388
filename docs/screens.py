"""Draws the pictures of the screens that the README shows: ``make pictures``.

Each is the real screen, on the demo's pictures and a run of the demo that is trained for it, so
that they stay true. SVG, which a browser shows sharp at any size.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

from lora_wizard.core.config.paths import templates_folder
from lora_wizard.core.run.directory import RunDirectory
from lora_wizard.core.run.lock import RunLock
from lora_wizard.tui.app import WizardApp
from lora_wizard.tui.screens.of_run import show_results, watch_run
from lora_wizard.tui.walk.draft import Draft
from textual.pilot import Pilot

OUT = Path(__file__).with_name("pictures")
SIZE, WIDE = (110, 34), (120, 40)
_WHILE_TRAINING = 0.72
"""How far the run of the monitor's picture is."""
_FONT = 'ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace'

Scene = Callable[[WizardApp, Pilot[None], RunDirectory], Awaitable[None]]


async def home(app: WizardApp, pilot: Pilot[None], run: RunDirectory) -> None:
    """Where everything begins, with a draft, and a run that is going on."""
    draft = _demo_draft()
    draft.put("output.name", "zibbu-rank-32")
    draft.step = "parameters"
    await pilot.press("f5")
    await _settle(pilot)
    await pilot.press("tab", "tab")
    await _settle(pilot)
    draft.discard()


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
    watch_run(app, run)
    await _settle(pilot)


async def results(app: WizardApp, pilot: Pilot[None], run: RunDirectory) -> None:
    """Every epoch's pictures in one grid."""
    show_results(app, run)
    await _settle(pilot)


SCENES: dict[Scene, tuple[int, int]] = {
    home: SIZE,
    dataset: SIZE,
    captions: SIZE,
    repeats: SIZE,
    parameters: SIZE,
    review: SIZE,
    train: SIZE,
    results: WIDE,
}
"""With the size of the terminal."""
_WHILE_IT_TRAINS = (home, train)


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
    for scene, size in SCENES.items():
        path = OUT / f"{scene.__name__}.svg"
        path.write_text(asyncio.run(_drawn(scene, size, run)), encoding="utf-8")
        sys.stdout.write(f"{path}\n")
    shutil.rmtree(home)


async def _drawn(scene: Scene, size: tuple[int, int], run: RunDirectory) -> str:
    app = WizardApp()
    time_of_run = _in_the_middle(run) if scene in _WHILE_IT_TRAINS else contextlib.nullcontext()
    with time_of_run:
        async with app.run_test(size=size) as pilot:
            await scene(app, pilot, run)
            picture = app.export_screenshot(title="lora-wizard")
    return _tidied(picture)


async def _step(app: WizardApp, pilot: Pilot[None], name: str) -> None:
    draft = _demo_draft()
    draft.step = name
    app.begin(draft)
    await _settle(pilot)


def _demo_draft() -> Draft:
    draft = Draft.new("demo")
    draft.enter("dataset.folder", "pictures")
    draft.note("subject", "object")
    draft.note("class_word", "creature")
    return draft


@contextlib.contextmanager
def _in_the_middle(run: RunDirectory) -> Iterator[None]:
    """The run is as it was while it trained: its past until then, as if it were now, and held."""
    known = [json.loads(line) for line in run.events_path.read_text().splitlines()]
    steps = [event for event in known if event["kind"] == "step"]
    end = steps[int(len(steps) * _WHILE_TRAINING)]
    past = known[: known.index(end) + 1]
    lag = time.time() - end["time"]
    lines = [json.dumps({**event, "time": event["time"] + lag}) for event in past]
    drawn = [event["path"] for event in past if event["kind"] == "sample"]
    log, last = run.log_path.read_text(), f"drew {drawn[-1]}"
    changed = (run.events_path, run.log_path, run.record_path)
    kept = [path.read_bytes() for path in changed]
    run.events_path.write_text("\n".join(lines) + "\n")
    run.log_path.write_text(log[: log.index("\n", log.index(last)) + 1])
    run.update(outcome="running", exit_code=None)
    lock = RunLock.take(run.lock_path)
    lock.announce()
    try:
        yield
    finally:
        lock.release()
        for path, content in zip(changed, kept, strict=True):
            path.write_bytes(content)


async def _settle(pilot: Pilot[None]) -> None:
    """Wait for the threads that read pictures and events, and for what they start in turn."""
    for _ in range(5):
        await pilot.pause(0.2)
        for worker in list(pilot.app.workers):
            if not worker.is_finished and worker.group != "tail":
                ended = asyncio.ensure_future(worker.wait())
                # One that was replaced by another ends with an error.
                ended.add_done_callback(lambda task: task.cancelled() or task.exception())
                await asyncio.wait({ended}, timeout=2.0)
    await pilot.pause()


def _tidied(svg: str) -> str:
    """Without fonts from elsewhere: the reader's own monospaced one does."""
    svg = re.sub(r"@font-face\s*\{[^}]*\}", "", svg)
    svg = re.sub(r"font-family:\s*Fira Code[^;]*;", f"font-family: {_FONT};", svg)
    return re.sub(r"[ \t]+\n", "\n", svg)


if __name__ == "__main__":
    main()
