"""`lora-wizard look`: copies, blur and what else is worth a look before training."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ...core.config import toml_source
from ...core.config.edit import TomlText
from ...core.errors import WizardError
from ...core.families import registry
from ...core.files import write_text
from ...core.look.finding import KINDS, Finding
from ...core.look.leaving_out import KEY, pattern_of, with_left_out
from ...core.look.pictures import PictureSet, pictures_of
from ...core.text import printable
from ..arguments import size_argument
from ..dataset_argument import as_told_of, config_of, is_folder, told_of
from ..problems import problems_text, wrapped
from ..terminal import redraws

_LISTED = 20
_SHOWN = 8
"""Pictures of a finding that are drawn."""
_WIDEST = 32


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("set", type=Path, metavar="DIR|TOML", help="pictures, or a run's TOML")
    parser.add_argument(
        "--resolution",
        type=size_argument,
        metavar="SIZE",
        help="what a folder's pictures are meant for, such as 1024 or 512x768; SD 1.x's 512 "
        "if absent",
    )
    parser.add_argument(
        "--leave-out",
        metavar="KIND,...",
        type=_kinds,
        default=(),
        help=f"write the spare pictures of these kinds into the TOML's dataset.exclude: "
        f"{', '.join(KINDS)}",
    )
    parser.add_argument("--plain", action="store_true", help="no pictures on the terminal")
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.epilog = (
        "Changes no picture, and nothing else unless --leave-out asks for it. Text and watermarks "
        "are not looked for: that takes eyes, or a model. Exit status: 0 looked, 2 nothing to look "
        "at."
    )


def run(arguments: argparse.Namespace) -> int:
    from ...core.look.examine import examine

    if arguments.leave_out and is_folder(arguments.set):
        raise WizardError(
            "There is no TOML to write into", str(arguments.set), "Give the run's TOML to look at."
        )
    found = _set_of(arguments.set, arguments.resolution)
    warnings = [item for item in found.problems if item.severity == "warning"]
    sys.stderr.write(problems_text(as_told_of(warnings, arguments.set)))
    progress = _progress if redraws(sys.stderr) else None
    findings = examine(found, progress=progress)
    excluded = _leave_out(arguments.set, findings, arguments.leave_out)
    if arguments.json:
        sys.stdout.write(json.dumps(_document(found, findings, excluded), indent=2) + "\n")
        return 0
    _show(found, findings, is_drawn=not arguments.plain)
    if is_folder(arguments.set):
        size = f"{found.rule.width}x{found.rule.height}"
        sys.stdout.write(f"Judged for SD 1.x at {size}; for others: --resolution, or a TOML.\n")
    if excluded:
        name = printable(str(arguments.set))
        sys.stdout.write(f"{len(excluded)} left out by {KEY} in {name}; their files stay.\n")
    return 0


def _set_of(path: Path, resolution: list[int] | None) -> PictureSet:
    config = config_of(path)
    options = config.dataset
    if resolution:
        options = options.model_copy(update={"resolution": resolution})
    with told_of(path):
        return pictures_of(options, registry.find(config.model.family), mask=config.loss.mask)


def _leave_out(toml: Path, findings: Sequence[Finding], kinds: Sequence[str]) -> list[str]:
    """Write what is spare into the TOML; returns what was not there before."""
    spare = [path for item in findings if item.kind in kinds for path in item.spare]
    if not spare:
        return []
    text = TomlText(toml_source.read(toml))
    before = text.get(KEY) or []
    after = with_left_out(before, spare)
    if after == before:
        return []
    text.set(KEY, after)
    write_text(toml, str(text))
    return after[len(before) :]


def _show(found: PictureSet, findings: Sequence[Finding], *, is_drawn: bool) -> None:
    for finding in findings:
        sys.stdout.write(f"{finding.title}\n")
        sys.stdout.write(wrapped(finding.words, "  ", "  ") + "\n")
        sys.stdout.write(wrapped(finding.remedy, "  ", "  ") + "\n")
        for item in finding.pictures[:_LISTED]:
            spare = "  (spare)" if item.path in finding.spare else ""
            note = printable(item.note)
            sys.stdout.write(f"    {printable(pattern_of(item.path))}  {note}{spare}\n")
        if len(finding.pictures) > _LISTED:
            sys.stdout.write(f"    and {len(finding.pictures) - _LISTED} more\n")
        if is_drawn and sys.stdout.isatty():
            _draw(finding)
        sys.stdout.write("\n")
    number = len(found.pictures)
    said = f"{number} picture{'' if number == 1 else 's'} looked at"
    rest = f"{len(findings)} finding{'' if len(findings) == 1 else 's'}" if findings else "nothing"
    sys.stdout.write(f"{said}: {rest} to think about.\n")


def _draw(finding: Finding) -> None:
    from rich.console import Console

    from ..picture import print_pictures

    if finding.kind not in ("broken", "one-shape"):
        shown = [(item.path.name, item.path) for item in finding.pictures[:_SHOWN]]
        print_pictures(Console(), shown, widest=_WIDEST)


def _document(
    found: PictureSet, findings: Sequence[Finding], excluded: Sequence[str]
) -> dict[str, Any]:
    return {
        "pictures": len(found.pictures),
        "resolution": [found.rule.width, found.rule.height],
        "findings": [
            {
                "kind": item.kind,
                "words": item.words,
                "remedy": item.remedy,
                "pictures": [
                    {"path": str(each.path), "number": each.number, "note": each.note}
                    for each in item.pictures
                ],
                "spare": [pattern_of(path) for path in item.spare],
            }
            for item in findings
        ],
        "left_out": list(excluded),
    }


def _kinds(text: str) -> tuple[str, ...]:
    kinds = tuple(part.strip() for part in text.split(",") if part.strip())
    if unknown := [kind for kind in kinds if kind not in KINDS]:
        raise argparse.ArgumentTypeError(f"{unknown[0]!r} is none of {', '.join(KINDS)}")
    return kinds


def _progress(done: int, total: int) -> None:
    if done % 10 == 0 or done == total:
        end = "\r\x1b[K" if done == total else ""
        sys.stderr.write(f"\rlooking at pictures {done}/{total}{end}")
        sys.stderr.flush()
