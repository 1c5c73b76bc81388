"""What `lora-wizard regularize` does and says."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from ..core.config import toml_source
from ..core.config.edit import TomlText
from ..core.dataset.layout_words import counted
from ..core.errors import ProblemsError
from ..core.families import registry as families
from ..core.files import write_text
from ..core.preflight_base import inspect_base
from ..core.regularization.start import WHAT, Work
from ..core.run import control
from ..core.run.directory import RunDirectory
from ..core.run.status import RunStatus
from ..core.run.tasks import task_directory
from ..core.text import printable
from .follow import Words, follow, start

_KEY = "dataset.regularization_folder"


class RegularizingWords(Words):
    """Of class pictures in ``into`` for the TOML ``config``, as the person typed it."""

    def __init__(self, config: Path, into: Path, work: Work) -> None:
        self._work = work
        words = ("lora-wizard", "regularize", str(config), "--into", str(into))
        self._command = printable(shlex.join(words))

    def detached(self, directory: RunDirectory) -> str:
        return f"The class pictures are drawn by a process of its own.\n{self.ways(directory)}"

    def left(self, directory: RunDirectory) -> str:
        return f"No longer watching; the drawing goes on.\n{self.ways(directory)}"

    def ways(self, directory: RunDirectory) -> str:
        return f"  watch:  {self._command} --watch\n  stop:   {self._command} --stop\n"

    def again(self, directory: RunDirectory) -> str:
        return printable(directory.again())

    def ended(self, status: RunStatus, directory: RunDirectory) -> str:
        if status.state == "finished":
            return printable(f"All class pictures are there: {self._work.into}")
        left = sum(len(order.missing()) for order in self._work.orders())
        to_go = f"{counted(left, 'picture')} to go"
        return f"Stopped, {to_go}.\nGo on with it: {self.again(directory)}"


def check(work: Work) -> None:
    """Raise ProblemsError for a base model that cannot draw."""
    found = inspect_base(work.config, families.find(work.config.model.family)).problems
    errors = [problem for problem in found if problem.severity == "error"]
    if errors:
        raise ProblemsError("The base model cannot draw class pictures", errors)


def say(work: Work) -> None:
    """Tell what will be drawn."""
    for order, used in zip(work.orders(), work.counts, strict=True):
        prompt, missing = order.prompt, counted(len(order.missing()), "picture")
        how = f"{prompt.width}x{prompt.height}, {prompt.steps} steps, from seed {prompt.seed}"
        lines = (
            f"{order.folder}: {missing} to draw, {order.count} in the end",
            f"  an epoch uses {used}: as many as pictures x repeats",
            f'  "{prompt.prompt}", {how}',
        )
        sys.stdout.write("".join(f"{printable(line)}\n" for line in lines))
    sys.stdout.flush()


def draw(
    work: Work,
    config: Path,
    command: Sequence[str],
    *,
    as_json: bool,
    detach: bool,
    use: bool,
) -> int:
    """Start the job and follow it; the exit status. ``use`` puts the folder into the TOML once all
    pictures are there."""

    def launched() -> subprocess.Popen[bytes]:
        return work.begin(command)[1]

    status = start(
        work.directory,
        launched=launched,
        as_json=as_json,
        detach=detach,
        words=RegularizingWords(config, work.into, work),
    )
    if status == 0 and not detach:
        _into_toml(config, work.into, write=use, quiet=as_json)
    return status


def watch(config: Path, into: Path, *, as_json: bool) -> int:
    """Follow the job that draws into ``into``; the exit status. Raises NotLiveError."""
    directory = task_directory(WHAT, into)
    if not directory.is_live():
        raise _not_live(into)
    words = RegularizingWords(config, into, Work.of(directory.values()))
    return follow(directory, as_json=as_json, words=words)


def stop(into: Path) -> int:
    """End the job that draws into ``into``. Raises NotLiveError."""
    directory = task_directory(WHAT, into)
    if not directory.is_live():
        raise _not_live(into)
    control.request(directory, "stop")
    control.wait(directory)
    sys.stdout.write(f"Stopped. Go on with it: {printable(directory.again())}\n")
    return 0


def _into_toml(path: Path, into: Path, *, write: bool, quiet: bool) -> None:
    text = TomlText(toml_source.read(path))
    if text.get(_KEY) == str(into):
        return
    said = f'{_KEY} = "{into}"'
    if write:
        text.set(_KEY, str(into))
        write_text(path, str(text))
        said = f"Written into {path}: {said}"
    else:
        said = f"To train with them: --use, or in {path}: {said}"
    if not quiet:
        sys.stdout.write(printable(said) + "\n")


def _not_live(into: Path) -> control.NotLiveError:
    return control.NotLiveError("No class pictures are being drawn there", str(into))
