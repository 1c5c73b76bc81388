"""Whether the GPU that is paid for is the one that trains, and whether the run fits on it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from .config import RunConfig
from .errors import Mend, Problem
from .estimates import memory
from .estimates.past_runs import past_runs
from .estimates.sizes import part_sizes
from .families.base import FamilySpec
from .hardware import Gpu, Hardware, hardware, precision_advice
from .installed_torch import InstalledTorch, installed_torch
from .preflight_base import BaseFindings
from .rehearsal import measured as rehearsals

_LARGE = 100_000_000
"""Weights from which on a processor takes days: SD 1.x has ten times as many."""
_DRIVERS = {11: (450, 80), 12: (525, 60), 13: (580, 0)}
"""CUDA -> the oldest driver that any of its minor versions runs on. Source: NVIDIA, CUDA Toolkit
release notes, minor version compatibility."""
_OLDEST_OF_13 = (7, 5)
"""CUDA 13 left older GPUs out. Source: NVIDIA, CUDA 13.0 release notes."""
_BLACKWELL, _FIRST_FOR_BLACKWELL = (10, 0), (12, 8)
"""Source: NVIDIA, Blackwell compatibility guide."""
_TAKEN_BY_OTHERS = 1e9


def gpu_problems(config: RunConfig, spec: FamilySpec, base: BaseFindings) -> Iterator[Problem]:
    """What nvidia-smi and torch's own files tell of it; asks neither torch nor the GPU."""
    seen, torch = hardware(), installed_torch()
    if not seen.gpus:
        if _is_large(spec, base):
            yield _no_gpu(seen)
        return
    gpu = seen.gpus[0]
    if wrong := _unusable(gpu, torch):
        message, remedy = wrong
        # The miniature base that comes along is trained by a processor in a minute.
        severity = "error" if _is_large(spec, base) else "warning"
        yield Problem(message, remedy=remedy, severity=severity)
        return
    yield from _precision(config, gpu)
    yield from _memory(config, spec, base, gpu)


def _is_large(spec: FamilySpec, base: BaseFindings) -> bool:
    if spec.costs is None:
        return False
    return sum(part.values for part in part_sizes(spec, base).values()) >= _LARGE


def _no_gpu(seen: Hardware) -> Problem:
    why = f" ({seen.trouble})" if seen.trouble else ""
    return Problem(
        f"there is no GPU here that can be used{why}: the processor would take days",
        remedy="On a rented machine: was it started with its GPU? `nvidia-smi` must name one.",
        # Where nothing is broken, somebody may only be writing the TOML for another machine.
        severity="warning" if seen.trouble else "note",
    )


def _unusable(gpu: Gpu, torch: InstalledTorch | None) -> tuple[str, str] | None:
    """(what is wrong, what to do) where torch would not train on ``gpu``."""
    if torch is None or torch.is_for_amd:
        return None
    what = f"the installed torch {torch.version}"
    if torch.cuda is None:
        return (
            f"{what} is a build for the processor alone: the {gpu.name} would stand idle",
            _install("cu128" if _driver(gpu) >= _DRIVERS[12] else "cu118"),
        )
    cuda = ".".join(map(str, torch.cuda))
    oldest = _DRIVERS.get(torch.cuda[0])
    if oldest and (0, 0) < _driver(gpu) < oldest:
        return (
            f"{what} is built with CUDA {cuda}, for which driver {gpu.driver} is too old: the "
            f"{gpu.name} would stand idle",
            f"Take a machine with driver {oldest[0]} or newer, or an older build of torch: "
            "https://pytorch.org/get-started/previous-versions/",
        )
    if gpu.capability and torch.cuda[0] >= 13 and gpu.capability < _OLDEST_OF_13:
        return f"{what} is built with CUDA {cuda}, which left the {gpu.name} out", _install("cu126")
    if gpu.capability and gpu.capability >= _BLACKWELL and torch.cuda < _FIRST_FOR_BLACKWELL:
        return f"{what} is built with CUDA {cuda}: too old for the {gpu.name}", _install("cu128")
    return None


def _install(build: str) -> str:
    return (
        f"pip install --force-reinstall torch --index-url https://download.pytorch.org/whl/{build}"
    )


def _driver(gpu: Gpu) -> tuple[int, int]:
    major, _, rest = gpu.driver.partition(".")
    minor = rest.partition(".")[0]
    return (int(major), int(minor) if minor.isdecimal() else 0) if major.isdecimal() else (0, 0)


def _precision(config: RunConfig, gpu: Gpu) -> Iterator[Problem]:
    advised, why = precision_advice([gpu])
    if config.model.precision == "bf16" and gpu.capability and advised != "bf16":
        yield Problem(
            "is bf16, which this GPU has to imitate, slowly",
            "model.precision",
            remedy=why,
            severity="warning",
            mends=(Mend(f"Train in {advised}", {"model.precision": advised}),),
        )


def _memory(config: RunConfig, spec: FamilySpec, base: BaseFindings, gpu: Gpu) -> Iterator[Problem]:
    if rehearsals.of(config):
        return  # It was tried: what it found is said.
    needed = memory.need(config, spec, base)
    if needed is None:
        return
    known = memory.measured(config, spec, base, past_runs())
    factor = known.factor if known else 1.0
    needed = needed.times(factor)
    if needed.highest <= gpu.free_bytes:
        return
    taken = gpu.memory_bytes - gpu.free_bytes
    alone = dataclasses.replace(gpu, free_bytes=gpu.memory_bytes)
    if taken > _TAKEN_BY_OTHERS and needed.highest <= gpu.memory_bytes:
        message = f"other programs hold {memory.memory_text(taken)} of the {gpu.name}'s memory"
        remedy = "End them, if they are yours: `nvidia-smi` names them."
    else:
        message = f"the {gpu.name} has {memory.memory_text(gpu.memory_bytes)} of memory"
        remedy = memory.fit(config, spec, base, needed, alone, factor).advice
    need_text = memory.memory_text(needed.highest)
    yield Problem(
        f"{message}, and the run takes about {need_text}: it would not fit",
        "training.batch_size",
        remedy=remedy,
        severity="warning",
    )
