"""Rules of the house that no linter knows."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("core", "tui", "captioners", "templates")
LONGEST_FILE = 320


def sources() -> list[Path]:
    return [path for room in ROOMS for path in (ROOT / room).rglob("*.py")]


def test_files_stay_short() -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for path in sources()
        if (lines := len(path.read_text().splitlines())) > LONGEST_FILE
    }
    assert not long, "split by what the parts are for"


def test_every_package_is_shipped() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    listed = set(project["tool"]["setuptools"]["packages"])
    found = {
        ".".join(("lora_wizard", *path.parent.relative_to(ROOT).parts))
        for path in sources()
        if path.name == "__init__.py"
    }
    assert found == listed


PICKLE = re.compile(r"(?<!safetensors\.)\btorch\.(load|save)\b|import pickle|allow_pickle")


def test_nothing_pickled_is_loaded_or_saved() -> None:
    found = {
        str(path.relative_to(ROOT)): hit.group()
        for path in sources()
        if (hit := PICKLE.search(path.read_text()))
    }
    assert not found
