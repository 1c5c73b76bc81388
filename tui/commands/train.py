"""`lora-wizard train`: start a run and follow it."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("config", metavar="CONFIG", help="the TOML of the run")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="change a value for this run, such as --set training.epochs=4; may be repeated",
    )
    parser.add_argument("--detach", action="store_true", help="start it and come back at once")
    parser.add_argument("--json", action="store_true", help="print the run's events as they are")
    parser.epilog = (
        "Ctrl-C stops watching, not the run. Exit status: 0 finished, 1 failed, 2 something to "
        "mend first, 75 stopped and saved, 130 no longer watching."
    )


def run(arguments: argparse.Namespace) -> int:
    """Check, make the run's directory, start the job, follow it."""
    from ...core import preflight
    from ...core.config import configfile
    from ...core.errors import ProblemsError
    from ...core.run.directory import RunDirectory
    from ...core.text import printable
    from ..follow import start
    from ..problems import problems_text

    config = configfile.load(Path(arguments.config), arguments.set)
    problems = preflight.check(config)
    errors = [problem for problem in problems if problem.severity == "error"]
    if errors:
        raise ProblemsError(f"{arguments.config} cannot run", errors)
    sys.stderr.write(problems_text(problems))
    command = ["lora-wizard", "train", arguments.config]
    for value in arguments.set:
        command += ["--set", value]
    directory = RunDirectory.create(config, command=command)
    if not arguments.json:
        sys.stdout.write(printable(f"run {directory.path}") + "\n")
        sys.stdout.flush()
    return start(directory, as_json=arguments.json, detach=arguments.detach)
