"""What the installed torch is made for, read from its files: torch itself takes seconds to
import."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path


@dataclass(frozen=True)
class InstalledTorch:
    """``cuda`` is the version of CUDA that it is built with; None for a build for the processor
    alone."""

    version: str
    cuda: tuple[int, int] | None
    is_for_amd: bool = False


@cache
def installed_torch() -> InstalledTorch | None:
    """The torch that training would use; None when there is none, or when its files do not say
    what it is."""
    try:
        spec = find_spec("torch")
        folders = list(spec.submodule_search_locations or ()) if spec else []
        said = _literals((Path(folders[0]) / "version.py").read_text()) if folders else {}
    except (OSError, ValueError, SyntaxError, ImportError):
        return None
    if "cuda" not in said:
        return None
    version = said.get("__version__")
    return InstalledTorch(str(version or ""), _numbers(said["cuda"]), bool(said.get("hip")))


def _literals(source: str) -> dict[str, object]:
    """Names that are given a constant, at the top of a module."""
    found: dict[str, object] = {}
    for line in ast.parse(source).body:
        if isinstance(line, ast.Assign):
            names, value = line.targets, line.value
        elif isinstance(line, ast.AnnAssign):
            names, value = [line.target], line.value
        else:
            continue
        if isinstance(value, ast.Constant):
            found |= {name.id: value.value for name in names if isinstance(name, ast.Name)}
    return found


def _numbers(version: object) -> tuple[int, int] | None:
    if not isinstance(version, str):
        return None
    major, _, minor = version.partition(".")
    minor = minor.partition(".")[0]
    return (int(major), int(minor)) if major.isdecimal() and minor.isdecimal() else None
