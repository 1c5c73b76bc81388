"""What `make` and pip put where. These ask the package index, hence their own mark."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.setup


def run(*command: str | Path, cwd: Path = ROOT) -> str:
    done = subprocess.run(
        [str(word) for word in command], cwd=cwd, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def set_up(tmp_path: Path, python: str | Path) -> dict[str, str]:
    """What `make` would install into a new environment started from ``python``."""
    report = tmp_path / "report.json"
    venv = tmp_path / "venv"
    run(
        "make",
        f"{venv}/.lora-wizard-ready",
        f"VENV={venv}",
        f"PYTHON={python}",
        f"PIP_FLAGS=--dry-run --report {report}",
    )
    installs = json.loads(report.read_text())["install"]
    return {item["metadata"]["name"]: item["metadata"]["version"] for item in installs}


def interpreter_with_torch(folder: Path, version: str) -> Path:
    """An interpreter whose site-packages has a distribution called torch, as rented images do."""
    run(sys.executable, "-m", "venv", "--without-pip", folder)
    site = next(folder.glob("lib/python3*/site-packages"))
    info = site / f"torch-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: torch\nVersion: {version}\n")
    (info / "RECORD").write_text(f"torch/__init__.py,,\n{info.name}/METADATA,,\n")
    (site / "torch").mkdir()
    (site / "torch" / "__init__.py").write_text(f"__version__ = {version!r}\n")
    return folder / "bin" / "python"


def test_a_torch_that_is_there_is_kept(tmp_path: Path) -> None:
    python = interpreter_with_torch(tmp_path / "image", "2.9.9+cu130")
    installs = set_up(tmp_path, python)
    assert "torch" not in installs
    assert {"diffusers", "transformers", "peft", "textual"} <= installs.keys()
    shown = run(tmp_path / "venv/bin/python", "-c", "import torch; print(torch.__version__)")
    assert shown.strip() == "2.9.9+cu130"


def test_where_there_is_no_torch_the_pinned_one_comes(tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    run(sys.executable, "-m", "venv", "--without-pip", bare)
    pinned = {
        line.partition("==")[0]: line.partition("==")[2]
        for line in (ROOT / "constraints.txt").read_text().splitlines()
        if "==" in line
    }
    installs = set_up(tmp_path, bare / "bin/python")
    assert installs["torch"].partition("+")[0] == pinned["torch"]


def test_only_lora_wizard_goes_into_site_packages(tmp_path: Path) -> None:
    run(
        sys.executable, "-m", "pip", "install", "--quiet", "--no-deps",
        "--target", tmp_path / "site", ROOT, cwd=tmp_path,
    )  # fmt: skip
    names = {path.name for path in (tmp_path / "site").iterdir()}
    names = {name for name in names if not name.endswith(".dist-info")}
    assert names == {"lora_wizard", "bin"}
    installed = tmp_path / "site" / "lora_wizard"
    assert {path.name for path in installed.iterdir()} == {
        "core", "tui", "captioners", "templates",
    }  # fmt: skip
    sources = {
        path.relative_to(ROOT)
        for top in ("core", "tui", "captioners", "templates")
        for path in (ROOT / top).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    missing = [str(path) for path in sources if not (installed / path).is_file()]
    assert not missing, "add their package or pattern to pyproject.toml"


def test_the_wheel_names_nothing_of_this_machine(tmp_path: Path) -> None:
    run(
        sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps",
        "--wheel-dir", tmp_path, ROOT, cwd=tmp_path,
    )  # fmt: skip
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            assert str(ROOT).encode() not in archive.read(name), name
