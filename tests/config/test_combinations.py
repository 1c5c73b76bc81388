"""Any options together: what a person is told of them, and never a crash."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from lora_wizard.core.config import configfile
from lora_wizard.core.errors import Problem, ProblemsError
from lora_wizard.core.estimates.here import estimate_here
from lora_wizard.core.preflight import inspect
from random_options import names, nested, random_options
from training_runs import draw_pictures


class Folders:
    """What the options that are paths may name."""

    def __init__(self, base: Path, root: Path) -> None:
        self.root = root
        trained = str(draw_pictures(root / "trained", 3))
        others = str(draw_pictures(root / "others", 2, "zebra"))
        (root / "captions.json").write_text('{"00": {"caption": "{a|b}, c"}}')
        (root / "broken.safetensors").write_bytes(b"\x08\0\0\0\0\0\0\0{}      ")
        absent = str(root / "absent")
        self.given: Mapping[str, Sequence[Any]] = {
            **names(),
            "model.base": [str(base), str(base), str(base), absent],
            "model.vae": ["", str(base), absent],
            "dataset.folder": [trained, trained, trained, others, absent],
            "dataset.regularization_folder": ["", others, trained, absent],
            "captions.metadata": ["", str(root / "captions.json"), absent],
            "network.weights": ["", str(root / "broken.safetensors"), absent],
            "validation.folder": ["", others, trained, absent],
            "output.folder": [str(root / "runs")],
            "output.publish_to": ["", str(root), absent],
        }
        self.always = {"model.base": str(base), "dataset.folder": trained}

    def text(self, chance: random.Random) -> str:
        """A TOML."""
        options = self.always | random_options(chance, self.given, chance.choice((0.05, 0.3, 0.9)))
        wanted = {key: value for key, value in options.items() if value is not None}
        return tomli_w.dumps(nested(wanted))


def problems_of(text: str, folder: Path) -> list[Problem]:
    """All that is said of a TOML, by everything that looks at it before a run."""
    configfile.lenient(text, folder)
    try:
        config = configfile.loads(text, folder)
    except ProblemsError as error:
        return error.problems
    again = configfile.loads(configfile.dumps(config), folder)
    assert configfile.dumps(again) == configfile.dumps(config)
    found = inspect(config)
    if found.spec:
        estimate_here(config, found.spec, plan=found.plan, schedule=found.schedule, base=found.base)
    return found.problems


def check_combinations(folders: Folders, seed: int, count: int) -> None:
    chance = random.Random(seed)
    for number in range(count):
        text = folders.text(chance)
        try:
            found = problems_of(text, folders.root)
        except Exception as error:
            raise AssertionError(f"combination {number} of seed {seed}:\n{text}") from error
        for problem in found:
            assert problem.message and "\n" not in problem.message, f"{problem}\n{text}"
            assert problem.severity in ("error", "warning", "note")


@pytest.fixture(scope="module")
def folders(tiny_sd: Path, tmp_path_factory: pytest.TempPathFactory) -> Folders:
    return Folders(tiny_sd, tmp_path_factory.mktemp("combinations"))


def test_any_options_together_are_told_of(folders: Folders) -> None:
    check_combinations(folders, 1, 60)


@pytest.mark.slow
def test_two_thousand_combinations_are_told_of(folders: Folders) -> None:
    check_combinations(folders, random.randrange(10**6), 2000)
