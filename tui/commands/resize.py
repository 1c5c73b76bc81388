"""`lora-wizard resize`: copies in a new folder, cut to one size or to the sizes of training."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict, replace
from pathlib import Path

from ...core.config import configfile
from ...core.dataset.build import build_plan
from ...core.errors import EXIT_FAILED, WizardError
from ...core.families import registry
from ...core.resize.copying import Encoding
from ...core.resize.frame import Target
from ...core.resize.job import resize
from ...core.resize.order import Order, default_folder
from ...core.resize.work import Outcome
from ...core.text import printable
from ..arguments import size_argument
from ..tables import print_table
from ..terminal import redraws
from ..walk.crops import order_of

_LISTED = 40
_DEFAULT = "buckets:512"
_FAMILY = "Sizes are those of SD 1.x; for another family give its own: --to buckets:1024, say.\n"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "set",
        type=Path,
        metavar="DIR|TOML",
        help="the pictures, never changed; of a run's TOML those that it does not leave out",
    )
    parser.add_argument(
        "--to",
        metavar="SIZE",
        help="512, 768x1024, or buckets[:SIZE]: for each picture the size it would be trained at "
        f"with SD 1.x ({_DEFAULT}, or as the TOML says, if absent)",
    )
    parser.add_argument(
        "--into", type=Path, metavar="NEW", help="the new folder; DIR-resized if absent"
    )
    parser.add_argument(
        "--how",
        choices=("crop", "fit", "pad"),
        default="crop",
        help="cut what is too much, show all of it smaller, or that on white",
    )
    parser.add_argument(
        "--at",
        choices=("centre", "subject"),
        default="centre",
        help="where to cut: in the middle, or where most is to be seen; what --by-hand has set "
        "counts before both",
    )
    parser.add_argument(
        "--flat", action="store_true", help="all copies in one folder, whatever lay in folders"
    )
    parser.add_argument("--format", choices=("keep", "jpg", "png", "webp"), default="keep")
    parser.add_argument(
        "--quality", type=_quality, default=95, metavar="N", help="of JPEG and WebP, 1 to 100"
    )
    parser.add_argument(
        "--no-enlarge", action="store_true", help="leave small pictures at their own size"
    )
    parser.add_argument(
        "--by-hand", action="store_true", help="set the crops picture by picture, on the screen"
    )
    parser.add_argument("--dry-run", action="store_true", help="say what would be done")
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.epilog = (
        "Keeps N_name folders unless they are to be --flat, copies captions and cuts masks along. "
        "Called again, it goes on where it stopped: what is there and current is left. resize.json "
        "in the new folder tells what was cut from what. Exit status: 0 done, 1 some pictures "
        "could not be read, 2 something to mend first."
    )


def run(arguments: argparse.Namespace) -> int:
    order = _order(arguments)
    if arguments.by_hand:
        from ..crop_by_hand import crop_by_hand

        if not crop_by_hand(order):
            return 0
    progress = _progress if redraws(sys.stderr) and not arguments.dry_run else None
    outcome = resize(order, is_dry=arguments.dry_run, progress=progress)
    if arguments.json:
        sys.stdout.write(json.dumps(_document(order, outcome, arguments.dry_run), indent=2) + "\n")
    else:
        _show(order, outcome, arguments.dry_run)
    return EXIT_FAILED if outcome.bad else 0


def _order(arguments: argparse.Namespace) -> Order:
    encoding = Encoding(arguments.format, arguments.quality)
    enlarge = not arguments.no_enlarge
    if arguments.set.suffix.lower() == ".toml":
        order = _order_of_toml(arguments.set)
        target = target_of(arguments.to, enlarge=enlarge) if arguments.to else order.target
        order = replace(order, target=target if enlarge else replace(target, enlarge=False))
    else:
        folder = arguments.set
        target = target_of(arguments.to or _DEFAULT, enlarge=enlarge)
        order = Order(folder, default_folder(folder.absolute()), target)
    return replace(
        order,
        into=arguments.into or order.into,
        how=arguments.how,
        at=arguments.at,
        encoding=encoding,
        is_flat=arguments.flat or order.is_flat,
    )


def _order_of_toml(toml: Path) -> Order:
    config = configfile.load(toml)
    order = order_of(config, build_plan(config, registry.find(config.model.family)))
    if not order:
        raise WizardError(
            "The folders of this TOML differ in more than their names",
            str(toml),
            "Give one of the folders.",
        )
    return order


def target_of(text: str, *, enlarge: bool) -> Target:
    """What ``--to`` means. Raises WizardError."""
    name, _, size = text.partition(":")
    try:
        if name == "buckets":
            width, height = size_argument(size or "512")
            return Target.buckets((width, height), registry.find("sd1"), enlarge=enlarge)
        width, height = size_argument(text)
    except argparse.ArgumentTypeError as error:
        raise WizardError(
            f"{text!r} is not a size", f"It {error}.", "Such as --to 512, --to buckets:1024"
        ) from error
    return Target((width, height), enlarge=enlarge)


def _show(order: Order, outcome: Outcome, is_dry: bool) -> None:
    rows = [
        (
            row.source,
            f"{row.box[2] - row.box[0]:.0f}x{row.box[3] - row.box[1]:.0f}",
            f"{row.box[0]:.0f},{row.box[1]:.0f}",
            f"{row.size[0]}x{row.size[1]}",
        )
        for row in outcome.rows[:_LISTED]
    ]
    if rows:
        print_table("Copies", ("picture", "cut", "from", "copy"), rows)
    if len(outcome.rows) > _LISTED:
        sys.stdout.write(f"and {len(outcome.rows) - _LISTED} more, in resize.json\n")
    if order.target.rule:
        sys.stdout.write(_FAMILY)
    for line in said(order, outcome, is_dry):
        sys.stdout.write(printable(line) + "\n")


def said(order: Order, outcome: Outcome, is_dry: bool = False) -> list[str]:
    """What was done, in a few lines; not yet safe to show."""
    verb = "would be made" if is_dry else "made"
    lines = [f"{outcome.made} copies {verb}, {outcome.current} were there, in {order.into}"]
    if outcome.masks or outcome.texts:
        lines.append(f"with them {outcome.texts} captions and {outcome.masks} masks")
    if outcome.tabled:
        lines.append(f"with them {outcome.tabled} captions of files that have many, such as JSONL")
    if outcome.enlarged:
        lines.append(f"{outcome.enlarged} enlarged: they look soft (--no-enlarge leaves them)")
    if outcome.kept:
        names = ", ".join(outcome.kept[:5])
        lines.append(f"{len(outcome.kept)} changed since they were copied, and kept: {names}")
    lines += [f"not copied: {item.path.name}: {item.reason}" for item in outcome.bad]
    if not outcome.is_whole:
        lines.append("stopped before the end; the same command goes on")
    return lines


def _document(order: Order, outcome: Outcome, is_dry: bool) -> dict[str, object]:
    return {
        "into": str(order.into),
        "dry_run": is_dry,
        "made": outcome.made,
        "current": outcome.current,
        "kept": outcome.kept,
        "enlarged": outcome.enlarged,
        "pictures": [asdict(row) for row in outcome.rows],
        "not_copied": [{"path": str(item.path), "reason": item.reason} for item in outcome.bad],
    }


def _quality(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 100):
        raise argparse.ArgumentTypeError(f"must be from 1 to 100, not {text!r}")
    return int(text)


def _progress(done: int, total: int) -> None:
    end = "\r\x1b[K" if done == total else ""
    sys.stderr.write(f"\rcopying {done}/{total}{end}")
    sys.stderr.flush()
