"""`lora-wizard status`: show how a run is doing."""

from __future__ import annotations

import argparse
import json
import shlex
import sys
import time
from typing import TYPE_CHECKING

from ...core.text import printable

if TYPE_CHECKING:
    from ...core.run.status import RunStatus


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    from ..arguments import add_run_argument

    add_run_argument(parser)
    parser.add_argument("--all", action="store_true", help="all runs of this machine")
    parser.add_argument("--json", action="store_true", help="for programs")


def run(arguments: argparse.Namespace) -> int:
    """Print a status, or a line for each run."""
    from ...core.errors import WizardError
    from ...core.run.directory import find_run, known_runs
    from ...core.run.status import summary

    if not arguments.all:
        status = summary(find_run(arguments.run))
        _print_json(status.as_json()) if arguments.json else sys.stdout.write(in_words(status))
        return 0
    found: list[RunStatus] = []
    for directory in known_runs():
        try:
            found.append(summary(directory))
        except WizardError as error:
            sys.stderr.write(printable(f"{error.title}: {error.message}") + "\n")
    if arguments.json:
        _print_json([status.as_json() for status in found])
        return 0
    for status in found:
        sys.stdout.write(_line(status) + "\n")
    if not found:
        sys.stdout.write("There is no run yet.\n")
    return 0


def in_words(status: RunStatus) -> str:
    """A status for people, safe to show."""
    from ...core.run.events import in_sentences
    from ..problems import wrapped
    from ..views import duration, ends_early, own_end

    rows = [("state", _state(status)), ("phase", _phase(status))]
    if status.total:
        epochs = f"/{status.epochs}" if status.epochs else ""
        epoch = f", epoch {status.epoch}{epochs}" if status.epoch else ""
        rows.append(("step", f"{status.step}/{status.total}{epoch}"))
    if status.loss is not None:
        rows.append(("loss", f"{status.loss:.4f} (smoothed)"))
    if status.state == "live" and status.steps_per_second is not None:
        rows.append(("speed", f"{status.steps_per_second:.2f} steps/s"))
    if status.eta_seconds is not None:
        rows.append(("left", duration(status.eta_seconds)))
    if ends := own_end(status):
        early = "; as it goes, not finished by then" if ends_early(status) else ""
        rows.append(("ends", f"at {ends} at the latest, saved: {status.because}{early}"))
    if status.state == "live" and status.then:
        rows.append(("then", status.then))
    if status.state == "live" and status.last_sign is not None:
        rows.append(("last sign", f"{duration(max(0, time.time() - status.last_sign))} ago"))
    rows += [("last file", status.last_file), ("last sample", status.last_sample)]
    rows += [("problem", problem) for problem in status.problems[-5:]]
    if status.error:
        told = in_sentences(*(status.error.get(part) for part in _ERROR_PARTS))
        rows.append(("error", told))
    rows.append(("folder", status.path))
    if _can_go_on(status):
        rows.append(("go on", f"lora-wizard resume {shlex.quote(status.path)}"))
    if status.paused:
        rows.append(("memory", "kept, of the GPU, too: `stop`, and `resume` later, frees it"))
    rows = [(name, text) for name, text in rows if text]
    lines = [printable(status.name)]
    for name, text in rows:
        first, shown = f"  {name:<12}", printable(text, limit=1000)
        # A path or a command stays in one line, to be copied.
        lines.append(wrapped(shown, " " * 14, first) if name in _PROSE else first + shown)
    return "\n".join(lines) + "\n"


def _can_go_on(status: RunStatus) -> bool:
    ended = status.state in ("new", "stopped", "failed", "killed") and status.resume_helps
    return ended or status.paused


_PROSE = ("problem", "error", "ends")
_ERROR_PARTS = ("title", "message", "remedy")


def _state(status: RunStatus) -> str:
    from ..views import reached_limit

    if status.state == "live":
        return f"live, {_doing(status)}" if _doing(status) else "live"
    code = "" if status.exit_code is None else f" (exit status {status.exit_code})"
    return f"{status.state}{code}{f', as {limit}' if (limit := reached_limit(status)) else ''}"


def _doing(status: RunStatus) -> str:
    return "stopping" if status.stopping else "paused" if status.paused else ""


def _phase(status: RunStatus) -> str:
    if status.state != "live" or status.phase == "paused":
        return ""
    from ...core.run.wording import phase_in_words

    phase = phase_in_words(status.phase)
    if status.done is None or status.phase_total == status.total:
        return phase  # steps have a row of their own
    total = "" if status.phase_total is None else f"/{status.phase_total}"
    return f"{phase} {status.done}{total}"


def _line(status: RunStatus) -> str:
    steps = f"{status.step}/{status.total}" if status.total else "-"
    name = printable(status.name, limit=30)
    state = "paused" if status.paused else status.state
    return f"{state:<9} {name:<30} {steps:>13}  {printable(status.path)}"


def _print_json(value: object) -> None:
    sys.stdout.write(json.dumps(value, indent=2) + "\n")
