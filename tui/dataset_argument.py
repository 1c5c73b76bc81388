"""The argument of commands that look after a dataset: a folder of pictures, or a TOML that names
some."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..core.config import RunConfig


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


def config_of(dataset: Path, overrides: list[str]) -> RunConfig:
    """The configuration in a TOML; of a folder, one with its pictures and defaults, in which
    ``model.base`` says nothing. Raises WizardError."""
    import tomli_w

    from ..core.config import configfile

    dataset = dataset.expanduser()
    if not dataset.is_dir():
        return configfile.load(dataset, overrides)
    folder = str(dataset.absolute())
    # A TOML has to name a base, and a place that is not among the pictures; nobody looks at them.
    document = {
        "model": {"base": "embedded:demo"},
        "dataset": {"folder": folder},
        "output": {"folder": f"{folder}-loras"},
    }
    text = tomli_w.dumps(document)
    return configfile.loads(text, Path.cwd(), overrides, name=str(dataset))
