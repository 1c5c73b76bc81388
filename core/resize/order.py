"""What is asked for, and whether copies can go where it says."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from ..errors import WizardError
from ..files import TEMPORARY_MARK, sweep
from .copying import Encoding
from .crops import NAME as CROPS
from .frame import How, Target
from .table import NAME, SUFFIX, ResizeTable

At = Literal["centre", "subject"]


@dataclass(frozen=True)
class Order:
    """What is asked for."""

    source: Path
    into: Path
    target: Target
    how: How = "crop"
    at: At = "centre"
    encoding: Encoding = field(default_factory=Encoding)
    only: frozenset[Path] | None = None
    """The pictures to copy; all of the source if None. Copies of others are taken away again."""
    is_flat: bool = False
    """All copies lie in the new folder itself, those from inner folders with these in their names;
    else in folders of the same names."""


def default_folder(source: Path) -> Path:
    """Where copies go when nobody says."""
    return source.with_name(f"{source.name}{SUFFIX}")


def check_folders(source: Path, into: Path) -> None:
    """Raises WizardError unless copies can go there without touching anything of anybody's."""
    if not source.is_dir():
        raise WizardError("There is no such folder of pictures", str(source), "Look at the path.")
    one, other = Path(os.path.realpath(source)), Path(os.path.realpath(into))
    if one == other or one in other.parents or other in one.parents:
        raise WizardError(
            "The copies need a folder of their own",
            f"{into} and {source} lie in each other.",
            f"Name another one, such as --into {default_folder(source)}",
        )
    if not other.exists():
        return
    if not other.is_dir():
        raise WizardError("The new folder is a file", str(into), "Name another one.")
    table = ResizeTable(into, source)
    if table.made_from and table.made_from != table.source:
        raise WizardError(
            "The new folder has copies of other pictures",
            f"{into} was made from {table.made_from}.",
            "Name another folder, or remove this one.",
        )
    others = [item for item in other.iterdir() if not _is_ours(item.name)]
    if others and not table.made_from:
        raise WizardError(
            "The new folder is not empty",
            f"{into} has {others[0].name} in it and no table of copies.",
            "Name a folder that is new or empty.",
        )


def _is_ours(name: str) -> bool:
    return name in (NAME, CROPS) or name.startswith(TEMPORARY_MARK)


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """``folder`` for nobody else's copies meanwhile, and without what a killed one left. Raises
    WizardError when another process holds it."""
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise WizardError(
                "Pictures are being copied there already",
                str(folder),
                "Wait for the other command.",
            ) from error
        sweep(folder)
        yield
    finally:
        os.close(descriptor)
