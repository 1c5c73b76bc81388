"""What `lora-wizard caption` does: by a job, at once, or with what was done."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..captioners import registry
from ..captioners.base import CaptionerSpec, LightSpec
from ..captioners.job import writing
from ..captioners.job.pictures import Found, find_pictures
from ..captioners.job.task import CaptionTask, Pictures, begin, directory_of
from ..core.config.options import Section
from ..core.dataset.caption_files import Outcome, current_caption
from ..core.dataset.captions import CaptionError
from ..core.dataset.layout_words import counted
from ..core.errors import EXIT_USER_ERROR, Problem, WizardError
from ..core.run import control
from ..core.run.lock import AlreadyRunningError
from ..core.text import printable
from .captioning import CaptioningWords, outcome_text
from .dataset_argument import config_of, is_folder, of_folder, told_of
from .follow import follow, start
from .problems import problems_text, wrapped
from .terminal import redraws

_SHOWN = 20
_TOLD_AFTER = 50


@dataclass(frozen=True)
class Asked:
    """What was typed."""

    task: CaptionTask
    spec: CaptionerSpec
    options: Section
    place: Path
    command: Sequence[str]
    """That begins the same again, from wherever."""


def pictures_of(place: Path) -> Pictures:
    """The pictures that a folder or a TOML names. Raises WizardError."""
    return Pictures.of_config(config_of(place))


def listing() -> str:
    """All captioners: what each is good for, and what it lacks. Safe to show."""
    blocks: list[str] = []
    for name in registry.names():
        try:
            spec = registry.find(name)
            lacks = spec.missing(spec.options())
        except WizardError as error:
            blocks.append(printable(f"{name}\n  {error}", keep_newlines=True))
            continue
        lines = [printable(f"{name}  {spec.title}"), wrapped(printable(spec.help), "  ")]
        lines += [wrapped(printable(f"Not ready: {lack.words}"), "  ") for lack in lacks]
        blocks.append("\n".join(lines))
    how = "lora-wizard caption DIR --with CAPTIONER\nlora-wizard caption --with CAPTIONER --help"
    return "\n\n".join([*blocks, how]) + "\n"


def by_job(asked: Asked, *, as_json: bool, detach: bool) -> int:
    """Start the job, unless there is nothing for it to do, and follow it; the exit status."""
    found = _found(asked)
    if not found.wanted and not as_json:
        _say_left(found)
        sys.stdout.write(_nothing_to_do(found))
        return 0
    directory = directory_of(asked.task.root)

    def launched() -> subprocess.Popen[bytes]:
        return begin(asked.task, asked.command)[1]

    if not as_json:
        others = f", {found.kept} have a caption and keep it" if found.kept else ""
        pictures = counted(len(found.wanted), "picture")
        sys.stdout.write(printable(f"{asked.spec.title} looks at {pictures}{others}.") + "\n")
        sys.stdout.flush()
    try:
        return start(
            directory,
            launched=launched,
            as_json=as_json,
            detach=detach,
            words=CaptioningWords(asked.place),
        )
    except AlreadyRunningError as error:
        raise _busy(asked.place) from error


def at_once(asked: Asked, spec: LightSpec, *, as_json: bool) -> int:
    """Write what a captioner finds that needs no job; the exit status."""
    if directory_of(asked.task.root).is_live():
        raise _busy(asked.place)
    found = _found(asked)
    captions, left = _light_captions(asked, spec, found)
    files = asked.task.files
    outcome = files.write(
        captions,
        writing.new_title(spec.title, files),
        mode="missing" if asked.task.mode == "missing" else "overwrite",
        progress=_progress if redraws(sys.stderr) else None,
    )
    left |= outcome.left
    written, same = len(outcome.written), len(set(captions) - {*outcome.written, *outcome.left})
    facts = {"written": written, "same": same, "kept": found.kept, "left": len(left), "waiting": 0}
    if as_json:
        for picture, text in outcome.written.items():
            _line("captioned", picture=str(picture), text=text)
        for picture, reason in left.items():
            _line("problem", severity="warning", where=str(picture), message=f"left: {reason}")
        _line("captions", **facts)
        return 0
    for picture, reason in list(left.items())[:_SHOWN]:
        sys.stdout.write(printable(f"left: {picture.name}: {reason}") + "\n")
    sys.stdout.write(outcome_text(facts) + "\n")
    if outcome.written:
        words = CaptioningWords(asked.place)
        sys.stdout.write(f"Take it back: {words.command} --undo\n")
    return 0


def foretell(asked: Asked, lacks: Sequence[Problem]) -> int:
    """Say what would be done; the exit status says whether it can be."""
    found = _found(asked)
    _say_left(found)
    if isinstance(asked.spec, LightSpec):
        captions, left = _light_captions(asked, asked.spec, found)
        for picture, text in captions.items():
            sys.stdout.write(printable(f"{picture.name}: {text}") + "\n")
        for picture, reason in left.items():
            sys.stdout.write(printable(f"{picture.name}: left, {reason}") + "\n")
    title, pictures = asked.spec.title, counted(len(found.wanted), "picture")
    sys.stdout.write(printable(f"{title} would look at {pictures}.") + "\n")
    if found.kept:
        sys.stdout.write(f"{counted(found.kept, 'picture')} would keep what is there.\n")
    if found.wanted and found.wanted[0].prefix:
        sys.stdout.write(printable(f"Every caption would begin: {found.wanted[0].prefix}") + "\n")
    sys.stdout.write(problems_text(lacks))
    return EXIT_USER_ERROR if lacks else 0


def watch(place: Path, pictures: Pictures, *, as_json: bool) -> int:
    """Follow the job that goes on about ``pictures``; the exit status."""
    directory = directory_of(pictures.root)
    if not directory.is_live():
        raise control.NotLiveError("These pictures are not being captioned", str(pictures.root))
    return follow(directory, as_json=as_json, words=CaptioningWords(place))


def stop(pictures: Pictures) -> int:
    """End the job about ``pictures``, and wait until what it found is written."""
    directory = directory_of(pictures.root)
    if not directory.is_live():
        raise control.NotLiveError("These pictures are not being captioned", str(pictures.root))
    control.request(directory, "stop")
    sys.stdout.write("It finishes what it looks at, and writes what it found.\n")
    sys.stdout.flush()
    control.wait(directory)
    sys.stdout.write(f"Stopped. Go on with it: {printable(directory.again())}\n")
    return 0


def undo(pictures: Pictures) -> int:
    """Bring back what stood in the caption files before the latest captioning."""
    directory = directory_of(pictures.root)
    if directory.is_live():
        raise _busy(pictures.root)
    changes = writing.latest(pictures.files)
    if not changes:
        raise WizardError(
            "There is nothing to take back", f"{pictures.root}: no captioning is remembered.", ""
        )
    look = _progress if redraws(sys.stderr) else None
    outcome = writing.undo(pictures.files, changes, look)
    _say_undone(changes[0].title, outcome)
    return 0


def _light_captions(
    asked: Asked, spec: LightSpec, found: Found
) -> tuple[dict[Path, str], dict[Path, str]]:
    """By picture what is to stand there, and why there is nothing."""
    captions: dict[Path, str] = {}
    left = dict(found.left)
    by_path = {wanted.file.path: wanted for wanted in found.wanted}
    for item in spec.create(asked.options).caption(list(by_path)):
        if not item.text:
            left[item.picture] = item.reason
            continue
        try:
            wanted = by_path[item.picture]
            old = current_caption(item.picture, lines=asked.task.lines) or wanted.caption
        except CaptionError as error:
            left[item.picture] = f"its caption {error}"
            continue
        captions[item.picture] = writing.composed(old, item.text, wanted.prefix, asked.task)
    return captions, left


def _found(asked: Asked) -> Found:
    """The pictures; what is odd about their folders is said."""
    progress = _looked_at if redraws(sys.stderr) else None
    with told_of(asked.place):
        found = find_pictures(asked.task, progress)
    odd = [problem for problem in found.problems if problem.severity == "warning"]
    sys.stderr.write(problems_text(of_folder(odd, asked.place) if is_folder(asked.place) else odd))
    return found


def _say_left(found: Found) -> None:
    for picture, reason in list(found.left.items())[:_SHOWN]:
        sys.stdout.write(printable(f"left: {picture.name}: {reason}") + "\n")
    if len(found.left) > _SHOWN:
        sys.stdout.write(f"left: {len(found.left) - _SHOWN} more\n")


def _say_undone(title: str, outcome: Outcome) -> None:
    files = counted(len(outcome.written), "caption")
    sys.stdout.write(printable(f"Taken back: {title}. {files} as before.") + "\n")
    for picture, reason in list(outcome.left.items())[:_SHOWN]:
        sys.stdout.write(printable(f"left: {picture.name}: {reason}") + "\n")


def _nothing_to_do(found: Found) -> str:
    if found.kept and not found.left:
        return (
            f"All {found.kept} pictures have a caption: there is nothing to do. --mode overwrite "
            "or append changes them.\n"
        )
    return "There is no picture left to caption.\n"


def _busy(place: Path) -> WizardError:
    words = CaptioningWords(place)
    return AlreadyRunningError(
        "These pictures are being captioned already",
        str(place),
        f"Watch it: {words.command} --watch\nEnd it: {words.command} --stop",
    )


def _line(kind: str, **fields: Any) -> None:
    sys.stdout.write(json.dumps({"kind": kind, "time": time.time(), **fields}) + "\n")


def _looked_at(done: int, total: int) -> None:
    _progress(done, total, "looking for captions")


def _progress(done: int, total: int, words: str = "captions") -> None:
    if done == total or done % _TOLD_AFTER == 0:
        sys.stderr.write(f"\r{words} {done}/{total}" + ("\r\x1b[K" if done == total else ""))
        sys.stderr.flush()
