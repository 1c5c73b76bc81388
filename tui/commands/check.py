"""`lora-wizard check`: find what is wrong with a TOML and its pictures before anything is paid
for."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ...core import preflight
from ...core.config import configfile
from ...core.errors import EXIT_USER_ERROR, Problem, WizardError
from ...core.estimates import Estimate, estimate_here
from ...core.rehearsal.words import sentences
from ...core.text import printable
from ..arguments import add_config_arguments
from ..predictions import add_price_argument, document, show
from ..problems import problems_of, problems_text
from ..terminal import redraws


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_config_arguments(parser)
    add_price_argument(parser)
    parser.add_argument(
        "--rehearse",
        action="store_true",
        help="take one real step, one sample and one save at the largest size, find the largest "
        "batch that fits, and tell time and cost from them",
    )
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.epilog = (
        "Reads the TOML, the headers of the base model's files, and decodes every picture, "
        "and looks at it for blur, copies and the like, once. "
        "Exit status: 0 it can run, 2 something to mend first."
    )


def run(arguments: argparse.Namespace) -> int:
    """Print every problem; the exit status says whether the run can start."""
    problems, estimate = _found(arguments.config, arguments.set)
    measured = None
    if arguments.rehearse and not _fails(problems):
        from ..rehearsing import rehearse

        measured = rehearse(configfile.load(arguments.config, arguments.set))
        # Once more: the estimate, and what is wrong, rest on what was measured now.
        problems, estimate = _found(arguments.config, arguments.set)
    fails = _fails(problems)
    if arguments.json:
        found: dict[str, Any] = {
            "ok": not fails,
            "problems": [asdict(problem) for problem in problems],
            "estimate": document(estimate, arguments.price) if estimate else None,
            "rehearsal": asdict(measured) if measured else None,
        }
        sys.stdout.write(json.dumps(found, indent=2) + "\n")
    else:
        sys.stdout.write(problems_text(problems))
        if measured:
            sys.stdout.write("\n".join([*sentences(measured), "", ""]))
        if estimate:
            show(estimate, arguments.price)
        name = printable(str(arguments.config))
        sys.stdout.write(f"{name} cannot run yet.\n" if fails else f"{name} can run.\n")
    return EXIT_USER_ERROR if fails else 0


def _fails(problems: list[Problem]) -> bool:
    return any(problem.severity == "error" for problem in problems)


def _found(path: Path, overrides: list[str]) -> tuple[list[Problem], Estimate | None]:
    """What is wrong, and what the run would take as far as that can be told."""
    try:
        config = configfile.load(path, overrides)
    except WizardError as error:
        return problems_of(error), None
    progress = _progress if redraws(sys.stderr) else None
    found = preflight.inspect(config, decode=True, look=True, progress=progress)
    estimate = None
    if found.spec and found.plan:
        estimate = estimate_here(
            config, found.spec, plan=found.plan, schedule=found.schedule, base=found.base
        )
    return configfile.with_lines(found.problems, path, overrides), estimate


def _progress(done: int, total: int) -> None:
    sys.stderr.write(f"\rreading pictures {done}/{total}" + ("\r\x1b[K" if done == total else ""))
    sys.stderr.flush()
