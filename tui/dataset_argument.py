"""The argument of commands that look after a dataset: a folder of pictures, or a TOML that names
some."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..core.config import RunConfig
    from ..core.errors import Problem


def add_dataset_arguments(parser: argparse.ArgumentParser) -> None:
    """Add DATASET and ``--set``."""
    from .arguments import add_set_argument

    parser.add_argument(
        "dataset",
        type=Path,
        metavar="DATASET",
        help="a folder of pictures, flat or with N_name folders, or the TOML of a run",
    )
    add_set_argument(parser)


def is_folder(dataset: Path) -> bool:
    """Whether a folder is meant, be it there or not."""
    return dataset.is_dir() or dataset.suffix.lower() != ".toml"


def config_of(dataset: Path, overrides: Sequence[str] = ()) -> RunConfig:
    """The configuration in a TOML; of a folder, one with its pictures and defaults, in which
    ``model.base`` says nothing. Raises WizardError."""
    from ..core.config import RunConfig, configfile

    dataset = dataset.expanduser()
    if not is_folder(dataset):
        return configfile.load(dataset, overrides)
    folder = str(dataset.absolute())
    _check_name(folder)
    # A configuration has to name a base, and a place that is not among the pictures; nobody looks
    # at them.
    document = {
        "model": {"base": "embedded:demo"},
        "dataset": {"folder": folder},
        "output": {"folder": f"{folder}-loras"},
    }
    if not overrides:
        # Not by way of a TOML, which cannot hold every folder's name.
        return RunConfig.model_validate(document)
    import tomli_w

    return configfile.loads(tomli_w.dumps(document), Path.cwd(), overrides, name=str(dataset))


def _check_name(folder: str) -> None:
    from ..core.errors import WizardError

    try:
        folder.encode()
    except UnicodeEncodeError as error:
        raise WizardError(
            "The folder's name cannot be used",
            f"{folder} is not UTF-8.",
            "Rename it, or name a link to it: ln -s FOLDER pictures",
        ) from error


@contextmanager
def told_of(dataset: Path) -> Iterator[None]:
    """Where ``dataset`` is a folder, problems are told of it, and not of keys of a TOML that nobody
    has written."""
    from ..core.errors import ProblemsError

    try:
        yield
    except ProblemsError as error:
        if not is_folder(dataset):
            raise
        title = "These pictures cannot be used"
        raise ProblemsError(title, of_folder(error.problems, dataset)) from error


def as_told_of(problems: Sequence[Problem], dataset: Path) -> Sequence[Problem]:
    """The same for ``problems`` that stop nothing."""
    return of_folder(problems, dataset) if is_folder(dataset) else problems


def of_folder(problems: Sequence[Problem], folder: Path) -> list[Problem]:
    """``problems`` with the folder ``folder``, in the words for one that stands in no TOML."""
    return [_of_folder(problem, folder.expanduser().absolute()) for problem in problems]


def _of_folder(problem: Problem, folder: Path) -> Problem:
    remedy = problem.remedy
    if any(section in remedy for section in ("dataset.", "captions.", "[[")):
        others = [path for path in _named(problem) if Path(path) != folder]
        which = "it" if len(others) == 1 else "one"
        more = f", or one of {len(others) - _NAMED} more" if others[_NAMED:] else ""
        remedy = f"To use {which}, name it: {' or '.join(others[:_NAMED])}{more}" if others else ""
    return replace(problem, where="", remedy=remedy)


def _named(problem: Problem) -> list[str]:
    """The folders that its mends would set."""
    found: dict[str, None] = {}
    for mend in problem.mends:
        concepts = mend.values.get("dataset.concepts") or ()
        folders = [mend.values.get("dataset.folder"), *(item["folder"] for item in concepts)]
        found |= dict.fromkeys(folder for folder in folders if folder)
    return list(found)


_NAMED = 3
