"""Leaving pictures out of the training by the configuration; their files stay as they are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from ..errors import Mend
from .finding import Finding

KEY = "dataset.exclude"


def pattern_of(path: Path) -> str:
    """What names a picture in ``dataset.exclude``: its folder and its name."""
    return f"{path.parent.name}/{path.name}"


def with_left_out(exclude: Sequence[str], paths: Iterable[Path]) -> list[str]:
    """``exclude`` and ``paths``, nothing twice."""
    return list(dict.fromkeys([*exclude, *map(pattern_of, paths)]))


def mend_of(finding: Finding, exclude: Sequence[str]) -> Mend | None:
    """The change that leaves out what one would; None where nothing is spare."""
    if not finding.spare:
        return None
    few = finding.spare[0].name if len(finding.spare) == 1 else f"these {len(finding.spare)}"
    return Mend(f"Leave out {few}", {KEY: with_left_out(exclude, finding.spare)})
