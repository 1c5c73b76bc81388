"""`lora-wizard caption`: find captions for pictures, with a model or from their names."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...captioners.job.task import Pictures
    from ...core.config.options import Section

_OWN = ("with", "mode", "list", "dry-run", "json", "detach", "watch", "stop", "undo", "help")
"""Flags that are no captioner's."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes whichever captioner is chosen."""
    from ..arguments import RUN_STATUSES

    parser.add_argument(
        "place",
        metavar="DIR",
        nargs="?",
        type=Path,
        help="the pictures: their folder, flat or with N_name folders inside, or the TOML of a run",
    )
    parser.add_argument(
        "--with",
        dest="captioner",
        metavar="CAPTIONER",
        help="who finds the captions; `caption --with CAPTIONER --help` has its options. Without "
        "it, the captioners are listed",
    )
    parser.add_argument(
        "--mode",
        choices=("missing", "overwrite", "append"),
        default="missing",
        help="what becomes of pictures that have a caption: it stays (missing, as usual), is "
        "replaced, or is added to",
    )
    parser.add_argument("--list", action="store_true", help="what captioners there are")
    parser.add_argument("--dry-run", action="store_true", help="only say what would be done")
    parser.add_argument("--json", action="store_true", help="for programs: events, one a line")
    parser.add_argument("--detach", action="store_true", help="start it and come back at once")
    later = parser.add_argument_group("before and after").add_mutually_exclusive_group()
    later.add_argument("--watch", action="store_true", help="watch the captioning that goes on")
    later.add_argument("--stop", action="store_true", help="end it; what was found is written")
    later.add_argument(
        "--undo", action="store_true", help="bring back what stood there before the last one"
    )
    parser.epilog = (
        "What was changed by hand meanwhile is kept. A captioning that was stopped, or killed, "
        "goes on where it was when the same is typed again. Ctrl-C stops watching, not the "
        f"captioning. {RUN_STATUSES}"
    )


def add_chosen_arguments(parser: argparse.ArgumentParser, words: Sequence[str]) -> None:
    """Add the options of the captioner that ``words`` name. Raises UnknownNameError."""
    first = argparse.ArgumentParser(add_help=False, exit_on_error=False)
    first.add_argument("--with", dest="captioner")
    try:
        name = first.parse_known_args(list(words))[0].captioner
    except argparse.ArgumentError:
        return
    if not name:
        return
    from ...captioners import registry
    from ..option_arguments import add_option, add_options

    spec = registry.find(name)
    group = parser.add_argument_group(f"options of {spec.name}", spec.help.replace("%", "%%"))
    infos = spec.option_infos()
    add_options(group, infos, _OWN)
    if all(info.key != "prefix" for info in infos):
        add_option(group, "prefix", 'what every caption begins with, such as "trigger, "')


def run(arguments: argparse.Namespace) -> int:
    """List, watch, stop, undo, or caption."""
    from .. import caption_ways

    if arguments.list or (not arguments.captioner and not _is_later(arguments)):
        sys.stdout.write(caption_ways.listing())
        return 0
    if arguments.place is None:
        from ...core.errors import WizardError

        raise WizardError("Which pictures?", "", "Name their folder: lora-wizard caption DIR ...")
    pictures = caption_ways.pictures_of(arguments.place)
    if arguments.watch:
        return caption_ways.watch(arguments.place, pictures, as_json=arguments.json)
    if arguments.stop:
        return caption_ways.stop(pictures)
    if arguments.undo:
        return caption_ways.undo(pictures)
    return _caption(arguments, pictures)


def _caption(arguments: argparse.Namespace, pictures: Pictures) -> int:
    from ...captioners import registry
    from ...captioners.base import LightSpec
    from ...captioners.job.task import CaptionTask
    from ...core.config.typed_section import typed
    from ...core.errors import ProblemsError
    from .. import caption_ways
    from ..option_arguments import given

    spec = registry.find(arguments.captioner)
    texts = given(arguments)
    prefix = texts.get("prefix")
    if isinstance(spec, LightSpec):
        texts.pop("prefix", None)
    options = typed(spec.options, texts, spec.title, Path.cwd())
    lacks = list(spec.missing(options))
    if lacks and not arguments.dry_run:
        raise ProblemsError(f"{spec.title} is not ready", lacks)
    plain = options.model_dump(mode="json", exclude_unset=True)
    task = CaptionTask(
        spec.name,
        plain,
        arguments.mode,
        pictures.plain(),
        list(pictures.trigger_words),
        prefix,
        pictures.lines,
    )
    asked = caption_ways.Asked(task, spec, options, arguments.place, _again(arguments, options))
    if arguments.dry_run:
        return caption_ways.foretell(asked, lacks)
    if isinstance(spec, LightSpec):
        return caption_ways.at_once(asked, spec, as_json=arguments.json)
    return caption_ways.by_job(asked, as_json=arguments.json, detach=arguments.detach)


def _is_later(arguments: argparse.Namespace) -> bool:
    return arguments.watch or arguments.stop or arguments.undo


def again_words(place: Path, captioner: str, mode: str, texts: Mapping[str, str]) -> list[str]:
    """What is typed to begin a captioning with the options ``texts``, from wherever."""
    from ..option_arguments import flag

    words = ["lora-wizard", "caption", str(place.absolute())]
    words += ["--with", captioner, "--mode", mode]
    return words + [f"{flag(name, _OWN)}={text}" for name, text in texts.items()]


def _again(arguments: argparse.Namespace, options: Section) -> list[str]:
    from ..option_arguments import given

    texts: dict[str, str] = {}
    for name, text in given(arguments).items():
        value = getattr(options, name, None)
        # A path, as it was made absolute.
        texts[name] = value if isinstance(value, str) else text
    return again_words(arguments.place, arguments.captioner, arguments.mode, texts)
