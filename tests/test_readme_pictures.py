"""The README's pictures are there, and each scene that is drawn for it is shown."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).parents[1]
MOST_BYTES = 300_000


def shown() -> list[str]:
    return re.findall(r"!\[[^]]+\]\(([^)]+)\)", (ROOT / "README.md").read_text())


def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("screens_script", ROOT / "docs" / "screens.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("path", shown())
def test_a_picture_that_the_readme_names_is_there(path: str) -> None:
    picture = ROOT / path
    assert 0 < picture.stat().st_size < MOST_BYTES
    if picture.suffix == ".svg":
        said = picture.read_text()
        assert ElementTree.fromstring(said).tag.endswith("svg")
        assert not re.search(r"(url\(|href=)[\"']?https?:", said), "nothing is fetched"


def test_every_scene_is_shown() -> None:
    drawn = {f"docs/pictures/{scene.__name__}.svg" for scene in script().SCENES}
    assert drawn == {path for path in shown() if path.endswith(".svg")}
