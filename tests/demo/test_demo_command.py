"""The demo as its user meets it: the command, its files, what it learned, the same bytes again."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "2"}


def wizard(*words: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "lora_wizard.tui.cli", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT, timeout=900)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """The demo's result; done once, since it takes as long as it says."""
    folder = tmp_path_factory.mktemp("demo")
    done = wizard("demo", "--folder", folder, "--json")
    assert done.stdout, done.stderr
    return json.loads(done.stdout) | {"status": done.returncode}


def test_the_subject_was_learned_and_the_base_is_whole(demo: dict[str, float]) -> None:
    assert demo["seeds"] == 20
    assert demo["subject_with"] >= 0.8
    assert demo["subject_without"] <= 0.1
    assert demo["scenes_without"] - demo["scenes_with"] <= 0.1
    assert demo["status"] == 0


def test_everything_it_names_is_there(demo: dict[str, str]) -> None:
    with Image.open(demo["picture"]) as panel:
        assert min(panel.size) > 100
    run = Path(demo["run"])
    manifest = json.loads((run / "manifest.json").read_text())["files"]
    assert "The creature is in" in (run / "report.html").read_text()
    for name, facts in manifest.items():
        data = (run / name).read_bytes()
        assert hashlib.sha256(data).hexdigest() == facts["sha256"]
    assert Path(demo["lora"]).name in manifest


def test_the_same_toml_gives_the_same_bytes(demo: dict[str, str]) -> None:
    done = wizard("train", demo["config"])
    assert done.returncode == 0, done.stdout + done.stderr
    first = Path(demo["lora"])
    second = first.parent.with_name(f"{first.parent.name}-2") / first.name
    assert second.read_bytes() == first.read_bytes()
