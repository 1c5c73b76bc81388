"""`lora-wizard tags`: the words of a whole set of captions, counted, and changed everywhere."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ...core.errors import EXIT_FAILED, WizardError
from ...core.tags.kinds import KINDS, Kind
from ...core.text import printable
from .. import tag_words
from ..dataset_argument import (
    add_dataset_arguments,
    as_told_of,
    config_of,
    is_folder,
    told_of,
)
from ..tag_words import MOST_ROWS
from ..terminal import redraws

if TYPE_CHECKING:
    from ...core.config import RunConfig
    from ...core.dataset.caption_files import Outcome
    from ...core.tags.edits import Edit
    from ...core.tags.entries import CaptionSet
    from ...core.tags.table import TagTable
    from ...core.tags.tokens import Longest


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_dataset_arguments(parser)
    parser.add_argument("--concept", default="", metavar="NAME", help="only one concept's captions")
    parser.add_argument(
        "--regularization", action="store_true", help="the regularization pictures' captions, too"
    )
    parser.add_argument(
        "--top", type=int, metavar="N", help=f"rows of the table; {MOST_ROWS} on a terminal"
    )
    parser.add_argument("--json", action="store_true", help="for programs")
    found = parser.add_argument_group("what describes the subject itself")
    found.add_argument(
        "--subject", action="store_true", help="list the tags that seem to, and why; nothing else"
    )
    found.add_argument("--prune", action="store_true", help="take these tags out")
    found.add_argument(
        "--spare", default="", metavar="TAGS", help="but not these, which stay changeable"
    )
    changes = parser.add_argument_group(
        "changes, made in this order, after --prune", "Several tags have commas between them."
    )
    for kind in KINDS:
        _add_switch(changes, kind)
    written = parser.add_argument_group("writing")
    written.add_argument("--dry-run", action="store_true", help="say what would change, only")
    written.add_argument(
        "--undo", action="store_true", help="bring back what the last change of captions replaced"
    )
    parser.epilog = (
        "Upper and lower case are the same tag. All that one call changes is one change to undo. "
        "Exit status: 0 done, 1 some captions could not be written, 2 something to mend first."
    )


def _add_switch(group: argparse._ArgumentGroup, kind: Kind) -> None:
    switch = f"--{kind.name}"
    if not kind.takes:
        group.add_argument(switch, action="store_true", help=kind.help)
    elif kind.may_be_bare:
        group.add_argument(switch, nargs="?", const="", metavar=kind.takes, help=kind.help)
    else:
        shown = f"{kind.help}; such as {kind.example}"
        group.add_argument(switch, action="append", metavar=kind.takes, help=shown)


def run(arguments: argparse.Namespace) -> int:
    """Print the table, or make the changes and say what they were."""
    from ...core.tags import entries
    from ...core.tags.table import table_of

    config = config_of(arguments.dataset, arguments.set)
    with told_of(arguments.dataset):
        captions = entries.read(config, regularization=arguments.regularization)
    if arguments.concept:
        captions = captions.of_concept(arguments.concept)
    if arguments.undo:
        if arguments.prune or _asked(arguments):
            raise WizardError("Undo and changes do not go together", "", "Give --undo alone.")
        return _undo(captions, arguments)
    for problem in as_told_of(captions.problems, arguments.dataset):
        sys.stderr.write(f"! {printable(problem.words)}\n")
    captions = _with_asked_words(captions, arguments)
    table = table_of(captions)
    edits = _edits(arguments, captions, table)
    if edits:
        return _change(config, captions, table, edits, arguments)
    if arguments.subject or arguments.prune:
        # Pruning that finds nothing to prune says so.
        tag_words.show_subject(table, as_json=arguments.json)
        return 0
    longest = _longest(config, captions, arguments)
    tag_words.show(captions, table, longest, top=arguments.top, as_json=arguments.json)
    return 0


def _asked(arguments: argparse.Namespace) -> list[tuple[Kind, str]]:
    """(kind, what it was told) of every change that is asked for, in the order of `KINDS`."""
    found: list[tuple[Kind, str]] = []
    for kind in KINDS:
        value = getattr(arguments, kind.name.replace("-", "_"))
        if isinstance(value, list):
            found += [(kind, text) for text in value]
        elif value is not None and value is not False:
            found.append((kind, "" if value is True else value))
    return found


def _words(text: str, captions: CaptionSet) -> list[str]:
    from ...core.dataset.captions import split_tags

    return split_tags(text, captions.grammar.separator)


def _with_asked_words(captions: CaptionSet, arguments: argparse.Namespace) -> CaptionSet:
    words = _words(arguments.trigger_words or "", captions)
    return captions.with_trigger_words(words) if words else captions


def _edits(arguments: argparse.Namespace, captions: CaptionSet, table: TagTable) -> list[Edit]:
    from ...core.tags.edits import Remove
    from ...core.tags.parts import key_of

    edits: list[Edit] = []
    spared = {key_of(tag) for tag in _words(arguments.spare, captions)}
    pruned = tuple(tag.name for tag in table.proposed if tag.key not in spared)
    if arguments.prune and pruned:
        edits.append(Remove(pruned))
    known = {tag.key for tag in table.tags}
    for kind, text in _asked(arguments):
        told = _words(text, captions)
        if kind.takes and not kind.may_be_bare and not told:
            raise WizardError(f"--{kind.name} names no tags", "", f"Such as {kind.example}.")
        if kind.name == "trigger-words" and not captions.trigger_words:
            remedy = 'Name them: --trigger-words "mika", or captions.trigger_words in a TOML.'
            raise WizardError("There are no trigger words", "", remedy)
        edits.append(kind.make(told))
        if kind.name == "remove":
            _tell_unknown([tag for tag in told if key_of(tag) not in known], table)
    return edits


def _tell_unknown(tags: Sequence[str], table: TagTable) -> None:
    import difflib

    names = {tag.key: tag.name for tag in table.tags}
    for tag in tags:
        close = difflib.get_close_matches(tag.casefold(), names, n=1)
        hint = f" Did you mean {names[close[0]]}?" if close else ""
        sys.stderr.write(printable(f"! No caption has {tag}.{hint}") + "\n")


def _longest(
    config: RunConfig, captions: CaptionSet, arguments: argparse.Namespace
) -> Longest | None:
    from ...core.families import registry
    from ...core.preflight_base import inspect_base
    from ...core.tags.tokens import longest
    from ...core.weights.clip_vocabulary import CLIP_TOKENS, find_vocabulary

    if is_folder(arguments.dataset.expanduser()):
        vocabulary = find_vocabulary(CLIP_TOKENS, Path.cwd())
    else:
        spec = registry.find(config.model.family)
        vocabulary = inspect_base(config, spec, online=False).vocabulary
    return longest(captions.entries, config.captions, vocabulary)


def _change(
    config: RunConfig,
    captions: CaptionSet,
    table: TagTable,
    edits: Sequence[Edit],
    arguments: argparse.Namespace,
) -> int:
    from dataclasses import replace

    from ...core.tags.changes import pending

    change = pending(captions, edits)
    outcome: Outcome | None = None
    if change.changed and not arguments.dry_run:
        outcome = change.write(_progress("writing"))
    longest = _longest(config, replace(captions, entries=change.after), arguments)
    if arguments.json:
        tag_words.show_change_document(change, outcome)
    else:
        words = _words(arguments.trigger_words or "", captions)
        tag_words.show_change(change, outcome, longest, table.captions, words)
    return EXIT_FAILED if outcome and outcome.left else 0


def _undo(captions: CaptionSet, arguments: argparse.Namespace) -> int:
    changes = captions.files.changes()
    if arguments.dry_run or not changes:
        said = [f"{change.title} ({change.files} files)" for change in changes]
        lines = ["To undo, the latest first:", *said] if said else ["There is nothing to undo."]
        sys.stdout.write("".join(f"{printable(line)}\n" for line in lines))
        return 0
    outcome = captions.files.undo(changes[0], _progress("bringing back"))
    lines = [f"Undone: {changes[0].title}; {len(outcome.written)} captions are as they were."]
    lines += [f"{path.name} is left: {why}." for path, why in outcome.left.items()]
    if changes[1:]:
        lines.append(f"{len(changes) - 1} more can be undone.")
    if arguments.json:
        left = {str(path): why for path, why in outcome.left.items()}
        document = {"undone": changes[0].title, "restored": len(outcome.written), "left": left}
        sys.stdout.write(json.dumps(document, indent=2) + "\n")
    else:
        sys.stdout.write("".join(f"{printable(line)}\n" for line in lines))
    return EXIT_FAILED if outcome.left else 0


def _progress(words: str) -> Callable[[int, int], None] | None:
    if not redraws(sys.stderr):
        return None

    def show(done: int, total: int) -> None:
        if done == total or done % 50 == 0:
            end = "\r\x1b[K" if done == total else ""
            sys.stderr.write(f"\r{words} captions {done}/{total}{end}")
            sys.stderr.flush()

    return show
