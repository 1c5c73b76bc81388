"""What plans, checks, shows or edits never loads torch: answers come at once, on any machine."""

from __future__ import annotations

import json
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
HEAVY = (
    *("torch", "diffusers", "transformers", "peft", "accelerate", "torchvision"),
    "onnxruntime",
)
SCREEN = ("textual", "textual_image", "plotext")
JOBS = (
    "captioners.*_model",
    "core.demo.*",
    "core.families.*_model",
    "core.families.noise_schedule",
    "core.networks.dropouts",
    "core.networks.norms",
    "core.optimizers.state",
    "core.sampling.drawing",
    "core.training.*",
    "core.regularization.draw",
    "core.rehearsal.rehearse",
    "core.weights.base_model_parts",
    "core.weights.single_file_parts",
    "core.weights.kohya",
    "core.weights.safetensors_bytes",
)
"""The modules that work on tensors; only jobs import them."""
ON_SCREEN = ("tui.app", "tui.terminal_app", "tui.screens*", "tui.widgets*")
"""The modules that draw; only a command that opens the screen imports them."""
IMPORT_EACH = """
import importlib, json, sys
modules, unwanted = json.loads(sys.argv[1])
for module in modules:
    importlib.import_module(module)
    found = [name for name in unwanted if name in sys.modules]
    if found:
        sys.exit(f"{module} imports {', '.join(found)}")
"""
RUN_COMMANDS = """
import json, sys
commands, unwanted = json.loads(sys.argv[1])
from lora_wizard.tui.cli import main
for words in commands:
    try:
        main(words)
    except SystemExit:
        pass
    found = [name for name in unwanted if name in sys.modules]
    if found:
        sys.exit(f"{words} imports {', '.join(found)}")
"""


def modules() -> list[str]:
    """Every module but entry points and those of `JOBS`, as ``core.config``."""
    paths = [path for room in ("core", "tui", "captioners") for path in (ROOT / room).rglob("*.py")]
    names = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in sorted(paths)]
    return [
        name.removesuffix(".__init__")
        for name in names
        if not name.endswith("__main__") and not any(fnmatch(name, job) for job in JOBS)
    ]


def commands() -> list[str]:
    folder = ROOT / "tui/commands"
    return sorted(path.stem for path in folder.glob("*.py") if path.stem != "__init__")


def run(code: str, *values: object) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", code, json.dumps(values)], capture_output=True, text=True, timeout=60
    )
    assert ran.returncode == 0, ran.stderr[-2000:]


def draws(name: str) -> bool:
    return any(fnmatch(name, pattern) for pattern in ON_SCREEN)


def test_nothing_but_jobs_imports_torch() -> None:
    run(IMPORT_EACH, [f"lora_wizard.{name}" for name in modules()], HEAVY)


def test_nothing_but_the_screen_imports_textual() -> None:
    others = [f"lora_wizard.{name}" for name in modules() if not draws(name)]
    run(IMPORT_EACH, others, SCREEN)


@pytest.mark.parametrize("pattern", JOBS)
def test_the_list_of_jobs_names_what_is_there(pattern: str) -> None:
    folder = ROOT.joinpath(*pattern.split(".")[:-1])
    found = [path for path in folder.glob("*.py") if fnmatch(path.stem, pattern.rpartition(".")[2])]
    assert found


def test_no_commands_help_imports_torch() -> None:
    run(RUN_COMMANDS, [[command, "--help"] for command in commands()], [*HEAVY, *SCREEN])


def test_light_commands_stay_light_to_their_end(tmp_path: Path) -> None:
    toml = tmp_path / "run.toml"
    toml.write_text(
        '[model]\nbase = "owner/name"\n[dataset]\nfolder = "pictures"\n'
        '[samples]\nprompts = ["a cat --w 64"]\n'
    )
    (tmp_path / "pictures").mkdir()
    words = [
        ["check", str(toml)],
        ["plan", str(toml)],
        ["options"],
        ["templates"],
        ["new", "face", "-o", str(tmp_path / "new.toml")],
        ["status", "--all"],
        ["caption", "--list"],
        ["caption", str(tmp_path / "pictures"), "--with", "names"],
    ]
    run(RUN_COMMANDS, words, [*HEAVY, *SCREEN])


def test_the_overview_imports_neither_the_configuration_nor_a_screen() -> None:
    ours = ["lora_wizard.core.config", "lora_wizard.core.config.options"]
    libraries = ["pydantic", "rich", "tomlkit", "tomllib", "PIL"]
    words = [[], ["--help"], ["--version"], ["chekc"]]
    run(RUN_COMMANDS, words, [*HEAVY, *SCREEN, *libraries, *ours])


def test_the_demos_measure_says_nothing_in_the_log() -> None:
    code = "import lora_wizard.core.demo.measure"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (ran.returncode, ran.stdout + ran.stderr) == (0, "")
