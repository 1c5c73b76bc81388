"""`lora-wizard check`: find what is wrong with a TOML and its pictures before anything is paid
for."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from ...core import preflight
from ...core.config import configfile
from ...core.errors import EXIT_USER_ERROR, Problem, ProblemsError, WizardError
from ...core.text import printable
from ..problems import problems_text


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("config", type=Path, metavar="CONFIG", help="the TOML of the run")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="check with another value, such as --set training.epochs=4; may be repeated",
    )
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.epilog = (
        "Reads the TOML, the headers of the base model's files, and decodes every picture once. "
        "Exit status: 0 it can run, 2 something to mend first."
    )


def run(arguments: argparse.Namespace) -> int:
    """Print every problem; the exit status says whether the run can start."""
    problems = _problems(arguments.config, arguments.set)
    fails = any(problem.severity == "error" for problem in problems)
    if arguments.json:
        found = {"ok": not fails, "problems": [asdict(problem) for problem in problems]}
        sys.stdout.write(json.dumps(found, indent=2) + "\n")
    else:
        sys.stdout.write(problems_text(problems))
        name = printable(str(arguments.config))
        sys.stdout.write(f"{name} cannot run yet.\n" if fails else f"{name} can run.\n")
    return EXIT_USER_ERROR if fails else 0


def _problems(path: Path, overrides: list[str]) -> list[Problem]:
    try:
        config = configfile.load(path, overrides)
    except ProblemsError as error:
        return error.problems
    except WizardError as error:
        return [Problem(f"{error.title}: {error.message}", remedy=error.remedy)]
    progress = _progress if sys.stderr.isatty() else None
    return configfile.with_lines(preflight.check(config, decode=True, progress=progress), path)


def _progress(done: int, total: int) -> None:
    sys.stderr.write(f"\rreading pictures {done}/{total}" + ("\r\x1b[K" if done == total else ""))
    sys.stderr.flush()
