"""`lora-wizard cache`: what encoded pictures and captions take on the disk, and making room."""

from __future__ import annotations

import argparse
import json
import sys

from ...core import cache_room
from ...core.places import cache_folder, size_text

DESCRIPTION = (
    "Encoded pictures and captions are kept for the next run. What was not used for longest makes "
    f"way when they take more than {cache_room.USUAL_GB:g} GB; {cache_room.VARIABLE}=50 changes "
    "that. Deleting all of it costs the next run the time to encode again, and nothing else."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = DESCRIPTION
    parser.add_argument(
        "--trim", type=_gigabytes, metavar="GB", help="delete until it takes at most so much"
    )
    parser.add_argument("--clear", action="store_true", help="delete all of it")
    parser.add_argument("--json", action="store_true", help="one JSON object")


def run(arguments: argparse.Namespace) -> int:
    folder = cache_folder()
    deleted = (0, 0)
    if arguments.clear or arguments.trim is not None:
        most = 0 if arguments.clear else int(arguments.trim * 1e9)
        deleted = cache_room.trim(folder, most)
    left = list(cache_room.entries(folder))
    facts = {
        "folder": str(folder),
        "files": len(left),
        "bytes": sum(entry.bytes for entry in left),
        "allowed_bytes": cache_room.allowed_bytes(),
        "deleted_files": deleted[0],
        "deleted_bytes": deleted[1],
    }
    sys.stdout.write(f"{json.dumps(facts) if arguments.json else _words(facts)}\n")
    return 0


def _words(facts: dict[str, int | str]) -> str:
    from ...core.text import printable

    allowed = size_text(int(facts["allowed_bytes"]))
    lines = [
        printable(str(facts["folder"])),
        f"{facts['files']} files, {size_text(int(facts['bytes']))} of {allowed} at most",
    ]
    if facts["deleted_files"]:
        freed = size_text(int(facts["deleted_bytes"]))
        lines.append(f"deleted {facts['deleted_files']} files, {freed}")
    return "\n".join(lines)


def _gigabytes(text: str) -> float:
    value = float(text)
    if not 0 <= value < 1e9:
        raise ValueError
    return value
