"""What `lora-wizard tags` prints, and what the screen of tags says of a set, too."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..core.text import printable

if TYPE_CHECKING:
    from ..core.dataset.caption_files import Outcome
    from ..core.tags.changes import Pending
    from ..core.tags.entries import CaptionSet
    from ..core.tags.table import Tag, TagTable
    from ..core.tags.tokens import Longest

MOST_ROWS = 40
"""Of the table on a terminal; a file or a program gets all."""
_SHOWN = 300
"""Characters of a caption."""
_NO_CHANGE = "No caption changes.\n"


def show(
    captions: CaptionSet,
    table: TagTable,
    longest: Longest | None,
    *,
    top: int | None,
    as_json: bool,
) -> None:
    """Print the table, ``top`` rows of it, and what there is to say of the set."""
    from .tables import print_table

    if as_json:
        sys.stdout.write(json.dumps(_document(captions, table, longest), indent=2) + "\n")
        return
    most = top or (MOST_ROWS if sys.stdout.isatty() else len(table.tags))
    rows = [
        (tag.name[:_SHOWN], tag.count, f"{tag.share:.0%}", f"{tag.place:.1f}", _state(tag))
        for tag in table.tags[:most]
    ]
    title = f"{_counted(table)}: {table.style.words}"
    print_table(title, ["tag", "captions", "share", "place", ""], rows)
    rest = len(table.tags) - most
    lines = [f"And {rest} more: --top {len(table.tags)} lists them."] if rest > 0 else []
    lines += [longest.words] if longest else []
    lines += remarks(captions, table)
    if table.proposed:
        lines.append("--subject says why these are proposed, --prune takes them out.")
    sys.stdout.write("".join(f"{printable(line)}\n" for line in lines))


def remarks(captions: CaptionSet, table: TagTable) -> list[str]:
    """What else is worth knowing of a set."""
    from ..core.tags.edits import is_face

    found = [table.style.advice] if table.style.advice else []
    if table.inferred:
        found.append(
            f"{table.inferred} begins every caption and is taken for the trigger word; "
            "--trigger-words says another."
        )
    with_underscore = sum("_" in tag.name and not is_face(tag.name) for tag in table.tags)
    with_space = any(" " in tag.name for tag in table.tags)
    if with_underscore and with_space and table.style.kind == "tags":
        have = "1 tag has" if with_underscore == 1 else f"{with_underscore} tags have"
        found.append(f"{have} underscores: --underscores makes them spaces.")
    if len(captions.concepts) > 1:
        found.append(f"Concepts: {', '.join(captions.concepts)}; --concept looks at one.")
    return found


def _state(tag: Tag) -> str:
    if tag.is_trigger:
        return "trigger word"
    return "proposed: prune" if tag.why else "varies" if tag.remark else ""


def _counted(table: TagTable) -> str:
    none = table.pictures - table.captions
    without = f", {none} without" if none else ""
    captions = "1 caption" if table.captions == 1 else f"{table.captions} captions"
    return f"{captions}{without}, {len(table.tags)} tags"


def _document(captions: CaptionSet, table: TagTable, longest: Longest | None) -> dict[str, Any]:
    return {
        "pictures": table.pictures,
        "captions": table.captions,
        "kind": table.style.kind,
        "trigger_words": list(captions.trigger_words),
        "tags": [
            {
                "tag": tag.name,
                "captions": tag.count,
                "share": round(tag.share, 4),
                "place": round(tag.place, 2),
                "trigger": tag.is_trigger,
                "proposed": tag.why,
                "pictures": [str(captions.entries[at].path) for at in tag.entries],
            }
            for tag in table.tags
        ],
        "longest": longest
        and {
            "picture": str(longest.picture),
            "tokens": longest.tokens,
            "exact": longest.is_exact,
            "max_tokens": longest.fitting,
        },
    }


def show_subject(table: TagTable, *, as_json: bool) -> None:
    """Print which tags seem to describe the subject itself, and why."""
    if as_json:
        found = [{"tag": tag.name, "captions": tag.count, "why": tag.why} for tag in table.proposed]
        sys.stdout.write(json.dumps(found, indent=2) + "\n")
        return
    lines = [f"{tag.name}: {tag.why}" for tag in table.proposed]
    kept = [f"{tag.name}: {tag.remark}" for tag in table.tags if tag.remark]
    if not lines:
        lines = ["No tag seems to describe the subject itself."]
    else:
        lines.insert(0, "What a caption leaves out, the trigger word learns. To be pruned:")
    sys.stdout.write("".join(f"{printable(line)}\n" for line in lines + kept))


def show_change(
    change: Pending,
    outcome: Outcome | None,
    longest: Longest | None,
    captions: int,
    trigger_words: Sequence[str],
) -> None:
    """Print what changes of so many ``captions``, or, with an ``outcome``, has changed;
    ``trigger_words`` are those that were given and stand in no TOML."""
    changed = change.changed
    if not changed:
        sys.stdout.write(_NO_CHANGE)
        return
    verb = "change" if outcome else "would change"
    lines = [f"{len(changed)} of {captions} captions {verb}, such as:"]
    for old, new in change.samples():
        lines += [
            old.path.name,
            f"  - {printable(old.caption, limit=_SHOWN)}",
            f"  + {printable(new.caption, limit=_SHOWN)}",
        ]
    lines += change.remarks()
    lines += [longest.words] if longest else []
    if outcome:
        lines += [f"{path.name} is left: {why}." for path, why in outcome.left.items()]
        lines.append(f"{len(outcome.written)} written. --undo brings the old ones back.")
        if trigger_words:
            words = json.dumps(list(trigger_words), ensure_ascii=False)
            lines.append(f"In the TOML: captions.trigger_words = {words}")
    else:
        lines.append("Nothing is written: without --dry-run it is.")
    sys.stdout.write("".join(f"{printable(line)}\n" for line in lines))


def show_change_document(change: Pending, outcome: Outcome | None) -> None:
    """As `show_change`, for programs."""
    document = {
        "title": change.title,
        "changes": {str(new.path): new.caption for _, new in change.changed},
        "written": len(outcome.written) if outcome else 0,
        "left": {str(path): why for path, why in outcome.left.items()} if outcome else {},
        "remarks": change.remarks(),
    }
    sys.stdout.write(json.dumps(document, indent=2) + "\n")
