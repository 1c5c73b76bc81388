"""`lora-wizard train`: start a run and follow it."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...core.errors import Problem


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
    from ..follow import start
    from ..problems import problems_text

    config = configfile.load(arguments.config, arguments.set)
    problems = configfile.with_lines(preflight.check(config), arguments.config, arguments.set)
    errors = [problem for problem in problems if problem.severity == "error"]
    if errors:
        raise ProblemsError(f"{arguments.config} cannot run", errors)
    sys.stderr.write(problems_text([*_others_at_work(), *problems]))
    command = ["lora-wizard", "train", str(arguments.config)]
    for value in arguments.set:
        command += ["--set", value]
    directory = RunDirectory.create(config, command=command)
    if not arguments.json:
        sys.stdout.write(printable(f"run {directory.path}") + "\n")
        sys.stdout.flush()
    return start(directory, as_json=arguments.json, detach=arguments.detach)


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
