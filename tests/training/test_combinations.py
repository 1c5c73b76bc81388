"""Any options together, trained: what nothing speaks against comes to its end or ends in words."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from lora_wizard.core.config import RunConfig
from lora_wizard.core.errors import EXIT_FAILED
from lora_wizard.core.preflight import inspect
from lora_wizard.core.run.directory import RunDirectory
from lora_wizard.core.run.job import run_job
from lora_wizard.core.training.__main__ import train
from pydantic import ValidationError
from random_options import names, nested, random_options
from training_runs import draw_pictures, events, sd_config, start

UNLUCKY = "not a number", "no longer numbers", "The step was too long"
"""How a run may fail whose options are as odd as chance makes them."""


def given(base: Path, root: Path, lora: Path) -> dict[str, Sequence[Any]]:
    """The values of options that are folders and files, and of those that make a run long."""
    trained, others = str(root / "trained"), str(root / "others")
    return {
        **names(),
        "model.base": [str(base)],
        "model.vae": ["", str(base)],
        "model.clip_skip": [1, 2],
        "dataset.folder": [trained],
        "dataset.cache_latents": [True, False],
        "dataset.repeats": [1, 3],
        "dataset.regularization_folder": ["", others],
        "dataset.resolution": [16, 32, [32, 48]],
        "dataset.bucket_step": [8, 16],
        "dataset.bucket_min_side": [None, 16],
        "dataset.bucket_max_side": [None, 64],
        "captions.metadata": [""],
        "network.weights": ["", str(lora)],
        "network.rank": [1, 4],
        "network.conv_rank": [None, 1, 2],
        "validation.folder": ["", others],
        "validation.timesteps": [1, 2],
        "training.epochs": [1, 2],
        "training.max_steps": [2],
        "training.batch_size": [1, 3],
        "training.gradient_accumulation": [1, 2],
        "samples.prompts": [[], ["mika, (a:1.2) --w 16 --h 16"]],
        "samples.width": [16],
        "samples.height": [16],
        "samples.steps": [1],
        "output.folder": [str(root / "runs")],
        "output.publish_to": [""],
    }


class Trained:
    """Runs of random options."""

    def __init__(self, base: Path, root: Path) -> None:
        pictures = draw_pictures(root / "trained", 3)
        draw_pictures(root / "others", 2, "zebra")
        network = {"rank": 4, "conv_rank": 2}
        training = {"max_steps": 1}
        self._whole = sd_config(base, pictures, root / "runs")
        lora = start(sd_config(base, pictures, root, network=network, training=training)).path
        self._given = given(base, root, lora / "toy.safetensors")

    def config(self, chance: random.Random) -> RunConfig:
        """The next configuration that nothing speaks against."""
        while True:
            share = chance.choice((0.1, 0.2, 0.4))
            sections = nested(random_options(chance, self._given, share))
            values = self._whole.model_dump(exclude_unset=True)
            values["training"]["max_steps"] = 2
            values["samples"] = {"prompts": ["mika --w 16 --h 16"], "steps": 1}
            for section, changes in sections.items():
                values[section] = {**values[section], **changes} if section in values else changes
            try:
                config = RunConfig.model_validate(values)
            except ValidationError:
                continue
            if not any(problem.severity == "error" for problem in inspect(config).problems):
                return config

    def check(self, chance: random.Random, count: int) -> None:
        """Train ``count`` of them for two steps."""
        for _ in range(count):
            config = self.config(chance)
            run = RunDirectory.create(config)
            code = run_job(run.path, train)
            log = run.log_path.read_text()
            said = f"{config.model_dump(exclude_unset=True)}\n{log[-3000:]}"
            failures = [str(event["title"]) for event in events(run, "failed")]
            unlucky = any(words in title for title in failures for words in UNLUCKY)
            assert code == 0 or (code == EXIT_FAILED and unlucky), said
            assert code or (run.path / f"{config.output.name}.safetensors").exists(), said


@pytest.fixture(autouse=True)
def deterministic_ends() -> Iterator[None]:
    """`training.deterministic` is the whole process's."""
    yield
    torch.use_deterministic_algorithms(False)


@pytest.fixture(scope="module")
def trained(tiny_sd: Path, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return Trained(tiny_sd, tmp_path_factory.mktemp("combinations"))


def test_a_few_combinations_are_trained(trained: Trained) -> None:
    trained.check(random.Random(3), 3)


@pytest.mark.slow
def test_many_combinations_are_trained(trained: Trained) -> None:
    trained.check(random.Random(random.randrange(10**6)), 30)
