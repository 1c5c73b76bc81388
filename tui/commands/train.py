"""`lora-wizard train`: start a run and follow it."""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...core.config import RunConfig
    from ...core.errors import Problem
    from ...core.run.directory import RunDirectory


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    from ..arguments import add_config_arguments, add_start_arguments

    add_config_arguments(parser)
    add_start_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Check, make the run's directory, start the job, follow it."""
    from ...core import preflight
    from ...core.config import configfile
    from ...core.errors import ProblemsError
    from ...core.run.directory import RunDirectory
    from ...core.text import printable
    from ..arguments import limits_of
    from ..follow import start
    from ..problems import problems_text

    limits = limits_of(arguments)
    config = configfile.load(arguments.config, arguments.set)
    problems = configfile.with_lines(preflight.check(config), arguments.config, arguments.set)
    errors = [problem for problem in problems if problem.severity == "error"]
    if errors:
        raise ProblemsError(f"{arguments.config} cannot run", errors)
    sys.stderr.write(problems_text([*_others_at_work(), *_left_before(config), *problems]))
    command = ["lora-wizard", "train", str(arguments.config)]
    for value in arguments.set:
        command += ["--set", value]
    directory = RunDirectory.create(config, command=command)
    if not arguments.json:
        sys.stdout.write(printable(f"run {directory.path}") + "\n")
        sys.stdout.flush()
    return start(directory, as_json=arguments.json, detach=arguments.detach, limits=limits)


def _others_at_work() -> list[Problem]:
    """For whoever comes back after a lost connection and starts the same again."""
    from ...core.errors import Problem
    from ...core.run.directory import known_runs
    from ..follow import label

    live = [label(run) for run in known_runs() if run.is_live()]
    if not live:
        return []
    message = f"{', '.join(live)} is still going on, and shares the machine with this run."
    remedy = f"Watch it instead: lora-wizard attach {live[0]}"
    return [Problem(message, remedy=remedy, severity="warning")]


def _left_before(config: RunConfig) -> list[Problem]:
    """For whoever means to go on with a run that has not finished, and starts another."""
    from ...core.errors import Problem
    from ...core.run.status import summary
    from ..follow import label

    run = _last_of_name(config)
    if run is None or run.is_live():
        return []
    record = run.record()
    if record.outcome not in ("running", "stopped", "failed") or not record.resume_helps:
        return []
    status = summary(run)
    of_all = f" of {status.total}" if status.total else ""
    message = f"{run.name} was left at step {status.step}{of_all}; this starts another run"
    remedy = f"Go on with it instead: lora-wizard resume {label(run)}"
    return [Problem(message, remedy=remedy, severity="note")]


def _last_of_name(config: RunConfig) -> RunDirectory | None:
    """The run of the same folder and name that was started last."""
    from ...core.run.directory import known_runs

    folder, name = Path(config.output.folder).absolute(), re.escape(config.output.name)
    named = re.compile(rf"{name}(-\d+)?")
    found = (run for run in known_runs() if run.path.parent == folder)
    return next((run for run in found if named.fullmatch(run.name)), None)
