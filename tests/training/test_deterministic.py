"""`training.deterministic`: what has no exact form is refused, and the state says what holds."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from lora_wizard.core.rehearsal.__main__ import work as rehearse
from lora_wizard.core.run.directory import RunDirectory
from lora_wizard.core.run.job import run_job
from training_runs import files, start, toy_config


@pytest.fixture(autouse=True)
def as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    yield
    os.environ.pop("CUBLAS_WORKSPACE_CONFIG", None)
    torch.use_deterministic_algorithms(False)


def environment(run: RunDirectory) -> dict[str, str]:
    newest = max(run.state_path.glob("step-*"))
    return json.loads((newest / "state.json").read_text())["environment"]


def test_a_deterministic_run_allows_exact_kernels_only(pictures: Path, tmp_path: Path) -> None:
    run = start(toy_config(pictures, tmp_path, training={"deterministic": True}))
    assert torch.are_deterministic_algorithms_enabled()
    assert not torch.is_deterministic_algorithms_warn_only_enabled()
    assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"
    assert environment(run)["deterministic"] == "yes"


def test_a_rehearsal_has_what_exact_kernels_need(pictures: Path, tmp_path: Path) -> None:
    config = toy_config(pictures, tmp_path, training={"deterministic": True})
    run = RunDirectory.create(config, what="rehearse")
    assert run_job(run.path, rehearse) == 0, run.log_path.read_text()
    assert torch.are_deterministic_algorithms_enabled()
    assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"


def test_others_are_left_alone(pictures: Path, tmp_path: Path) -> None:
    run = start(toy_config(pictures, tmp_path))
    assert not torch.are_deterministic_algorithms_enabled()
    assert "CUBLAS_WORKSPACE_CONFIG" not in os.environ
    assert "deterministic" not in environment(run)


def test_the_cpu_is_exact_either_way(pictures: Path, tmp_path: Path) -> None:
    exact = start(toy_config(pictures, tmp_path, training={"deterministic": True}))
    torch.use_deterministic_algorithms(False)
    plain = start(toy_config(pictures, tmp_path))
    # The header names when the configurations differ; the weights do not.
    for name, data in files(exact).items():
        start_of_weights = 8 + int.from_bytes(data[:8], "little")
        other = files(plain)[name]
        assert data[start_of_weights:] == other[8 + int.from_bytes(other[:8], "little") :]
