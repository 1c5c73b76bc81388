"""Whether the GPU that is paid for would train: found from nvidia-smi and torch's own files, each
written by the test, in a process of its own that has not imported torch."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lora_wizard.core.installed_torch import installed_torch

RTX_4090 = ("NVIDIA GeForce RTX 4090", 24564, 24100, "550.54.15", "8.9")
TESLA_T4 = ("Tesla T4", 15360, 14900, "550.54.15", "7.5")
TESLA_P40 = ("Tesla P40", 24576, 24400, "580.10", "6.1")
RTX_5090 = ("NVIDIA GeForce RTX 5090", 32607, 32000, "570.20", "12.0")
CHECK = """
import json, sys
from dataclasses import asdict
from lora_wizard.core.config import RunConfig
from lora_wizard.core.families import registry
from lora_wizard.core.preflight_base import BaseFindings
from lora_wizard.core.families.base import PartSize
from lora_wizard.core.preflight_gpu import gpu_problems
values = json.loads(sys.argv[1])
size = values.pop("size", 0)
config = RunConfig.model_validate({"model": {"base": "owner/model"}} | values)
base = BaseFindings(parts={"unet": PartSize(size, 1, 1)}) if size else BaseFindings()
found = list(gpu_problems(config, registry.find("sd1"), base))
assert "torch" not in sys.modules
print(json.dumps([asdict(problem) for problem in found]))
"""

Found = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def found(tmp_path: Path) -> Found:
    """What is said of a run on a machine with a GPU and a torch; None for neither."""

    def ask(
        gpu: tuple[str, int, int, str, str] | None,
        cuda: str | None = "12.8",
        environment: dict[str, str] | None = None,
        script: str = "",
        **values: Any,
    ) -> list[dict[str, Any]]:
        if gpu or script:
            name, total, free, driver, capability = gpu or RTX_4090
            row = f"0, GPU-a, {name}, {total}, {free}, {driver}, {capability}, [N/A]"
            smi = tmp_path / "nvidia-smi"
            script = script or f"echo '{row}'"
            smi.write_text(f"#!/bin/sh\n{script}\n")
            smi.chmod(0o755)
        torch = tmp_path / "packages" / "torch"
        torch.mkdir(parents=True, exist_ok=True)
        (torch / "__init__.py").write_text("raise SystemExit('torch was imported')\n")
        (torch / "version.py").write_text(
            "from typing import Optional\n__version__ = '2.9.0'\ndebug = False\n"
            f"cuda: Optional[str] = {cuda!r}\nhip: Optional[str] = None\n"
        )
        asked = subprocess.run(
            [sys.executable, "-c", CHECK, json.dumps(values)],
            env={
                "PATH": f"{tmp_path}:/usr/bin:/bin",
                "PYTHONPATH": f"{torch.parent}:{os.environ.get('PYTHONPATH', '')}",
                "HOME": str(tmp_path),
                **(environment or {}),
            },
            capture_output=True,
            check=True,
            text=True,
        )
        return json.loads(asked.stdout)

    return ask


def test_nothing_is_said_where_all_is_well(found: Found) -> None:
    assert found(RTX_4090) == []
    assert found(RTX_5090) == []
    assert found(TESLA_T4, model={"base": "owner/model", "precision": "fp16"}) == []


@pytest.mark.parametrize(
    ("gpu", "cuda", "said", "remedy"),
    [
        (RTX_4090, None, "processor alone", "whl/cu128"),
        (RTX_4090, "13.0", "driver 550.54.15 is too old", "driver 580"),
        ((*RTX_4090[:3], "515.1", "8.9"), "12.8", "driver 515.1 is too old", "driver 525"),
        (TESLA_P40, "13.0", "left the Tesla P40 out", "whl/cu126"),
        (RTX_5090, "12.4", "too old for the NVIDIA GeForce RTX 5090", "whl/cu128"),
    ],
)
def test_a_gpu_that_torch_would_leave_idle(
    found: Found, gpu: tuple[str, int, int, str, str], cuda: str | None, said: str, remedy: str
) -> None:
    (problem,) = found(gpu, cuda)
    assert said in problem["message"] and remedy in problem["remedy"]
    assert problem["severity"] == "error"
    # What a processor trains in a minute may begin all the same.
    (problem,) = found(gpu, cuda, size=50_000)
    assert problem["severity"] == "warning"


def test_no_gpu_is_told_for_a_base_of_real_size_alone(found: Found) -> None:
    (problem,) = found(None)
    assert "no GPU" in problem["message"] and problem["severity"] == "note"
    assert found(None, size=50_000) == []
    (problem,) = found(RTX_4090, environment={"CUDA_VISIBLE_DEVICES": "7"})
    assert "CUDA_VISIBLE_DEVICES=7 hides 1" in problem["message"]
    assert problem["severity"] == "warning"
    (problem,) = found(None, script="echo 'Driver/library version mismatch'; exit 18")
    assert "mismatch" in problem["message"] and problem["severity"] == "warning"


def test_bf16_on_a_gpu_without_it_and_what_mends_it(found: Found) -> None:
    (problem,) = found(TESLA_T4, model={"base": "owner/model", "precision": "bf16"})
    assert problem["where"] == "model.precision" and "bf16" in problem["message"]
    assert problem["mends"][0]["values"] == {"model.precision": "fp16"}


def test_memory_that_others_hold_and_memory_that_is_not_there(found: Found) -> None:
    (problem,) = found((*RTX_4090[:2], 1500, *RTX_4090[3:]))
    assert "other programs hold 22.5 GB" in problem["message"]
    assert "`nvidia-smi` names them" in problem["remedy"]
    large = {"batch_size": 8, "gradient_checkpointing": False}
    (problem,) = found(("Small", 6144, 6100, "550.1", "8.9"), training=large)
    assert "has 6 GB of memory" in problem["message"] and "would not fit" in problem["message"]
    assert problem["remedy"].startswith("First: batch size 1 and gradient accumulation 8")


def test_the_installed_torch_says_what_torch_says() -> None:
    import torch

    here = installed_torch()
    assert here is not None
    assert here.version == torch.__version__
    told = ".".join(map(str, here.cuda)) if here.cuda else None
    assert told == torch.version.cuda
