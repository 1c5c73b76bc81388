"""Which GPUs are there, asked of ``nvidia-smi``: without torch, within seconds, never an exception.

What is found is what a training process would see: CUDA_VISIBLE_DEVICES counts, and of a GPU that
is cut into slices (MIG) the slices are found.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Literal

PATIENCE = 5.0
"""Seconds in which nvidia-smi must have answered; with a broken driver it never does."""
_COMMAND = "nvidia-smi"
_FIELDS = ("index", "uuid", "name", "memory.total", "memory.free", "driver_version")
_NEWER_FIELDS = ("compute_cap", "mig.mode.current")
"""Drivers of before 2021 do not know them."""
_MIB = 1 << 20
_SLICE_MIB_PER_GB = 972
"""A slice called 10gb has 9,728 MiB."""
_GPU_LINE = re.compile(r"GPU (\d+): ")
_SLICE_LINE = re.compile(r"\s+MIG (\d+)g\.(\d+)gb\S*\s+Device\s+\d+: \(UUID: (\S+)\)")

_SLICE_NAME = re.compile(r"(.*) MIG \d+g\.(\d+)gb\b.*")
PROCESSOR = "cpu"
"""What computes where there is no GPU."""

Precision = Literal["bf16", "fp16", "fp32"]


@dataclass(frozen=True)
class Gpu:
    """A GPU, or a slice of one. ``free_bytes`` is of the moment it was asked."""

    name: str
    memory_bytes: int
    free_bytes: int
    capability: tuple[int, int] | None = None
    """Compute capability, such as (8, 9); None when the driver is too old to say."""
    driver: str = ""
    uuid: str = ""
    index: int = 0
    """As nvidia-smi counts."""
    share: float = 1.0
    """Of a whole GPU's arithmetic, for a slice."""


@dataclass(frozen=True)
class Hardware:
    """The GPUs, and in words why there are none or not all of them; empty when all is well."""

    gpus: tuple[Gpu, ...] = ()
    trouble: str = ""


def gpus() -> list[Gpu]:
    """The GPUs that training could use, the one it takes first; see `hardware`."""
    return list(hardware().gpus)


@cache
def hardware() -> Hardware:
    """What is there, asked once per process (``hardware.cache_clear()`` asks again)."""
    output, trouble = _ask(_query((*_FIELDS, *_NEWER_FIELDS)))
    if "not a valid field" in output + trouble:
        output, trouble = _ask(_query(_FIELDS))
    if trouble:
        return Hardware((), trouble)
    rows = [[cell.strip() for cell in line.split(",")] for line in output.splitlines()]
    found = [gpu for row in rows if (gpu := _gpu(row)) is not None]
    if not found:
        said = output.strip().partition("\n")[0][:80]
        return Hardware((), f"nvidia-smi names no GPU: {said}" if said else "")
    if any(row[-1] == "Enabled" for row in rows):
        found = _with_slices(found)
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    kept = found if visible is None else _visible(found, visible)
    hidden = f"CUDA_VISIBLE_DEVICES={visible} hides {len(found)}" if not kept else ""
    return Hardware(tuple(kept), hidden)


def device_name(cuda_name: str) -> str:
    """How a device is called here of which CUDA says ``cuda_name``; `PROCESSOR` for none."""
    if slice_ := _SLICE_NAME.fullmatch(cuda_name):
        return _slice_name(*slice_.groups())
    return cuda_name or PROCESSOR


def _slice_name(owner: str, gigabytes: str) -> str:
    return f"{owner} (a slice of {gigabytes} GB)"


def precision_advice(gpus: Sequence[Gpu]) -> tuple[Precision, str]:
    """The precision to train in, and why, for people. Source: NVIDIA's table of compute
    capabilities; bf16 arithmetic begins with 8.0."""
    if not gpus:
        return "fp32", "There is no GPU here: the processor computes in fp32."
    gpu = gpus[0]
    if gpu.capability is None:
        return "fp16", (
            f"The driver does not say what the {gpu.name} can: fp16 runs on every GPU. "
            "RTX 30 and newer take bf16."
        )
    if gpu.capability >= (8, 0):
        return "bf16", f"The {gpu.name} computes in bf16, which never overflows."
    if gpu.capability >= (7, 0):
        return "fp16", f"The {gpu.name} has no bf16 arithmetic; fp16 is fast on it."
    return "fp16", (
        f"The {gpu.name} has no bf16 arithmetic. fp16 halves its memory use; it is no faster "
        "than fp32 on a GPU of this age."
    )


def _query(fields: Sequence[str]) -> list[str]:
    return [f"--query-gpu={','.join(fields)}", "--format=csv,noheader,nounits"]


def _ask(arguments: Sequence[str]) -> tuple[str, str]:
    """(what nvidia-smi printed, what is wrong). Not there: ("", "")."""
    try:
        asked = subprocess.Popen(
            [_COMMAND, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        )
    except FileNotFoundError:
        return "", ""
    except OSError as error:
        return "", f"nvidia-smi cannot be started: {error.strerror or error}"
    try:
        output, _ = asked.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        _end(asked)
        return "", f"nvidia-smi did not answer in {PATIENCE:g} seconds: the driver may hang"
    if asked.returncode:
        said = output.strip().partition("\n")[0][:120]
        return "", f"nvidia-smi failed: {said or f'exit status {asked.returncode}'}"
    return output, ""


def _end(process: subprocess.Popen[str]) -> None:
    # A process that waits for a broken driver outlives even SIGKILL: it is not waited for long.
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(timeout=1)
    if process.stdout:
        process.stdout.close()


def _gpu(row: Sequence[str]) -> Gpu | None:
    """The GPU of a row; None for a line that is none."""
    if len(row) not in (len(_FIELDS), len(_FIELDS) + len(_NEWER_FIELDS)):
        return None
    index, uuid, name, total, free, driver, *newer = row
    if not index.isdecimal() or not total.isdecimal():
        return None
    memory = int(total) * _MIB
    # Free memory may be hidden: "[N/A]", "[Insufficient Permissions]".
    left = int(free) * _MIB if free.isdecimal() else memory
    major, _, minor = newer[0].partition(".") if newer else ("", "", "")
    known = major.isdecimal() and minor.isdecimal()
    capability = (int(major), int(minor)) if known else None
    return Gpu(name, memory, left, capability, driver, uuid, int(index))


def _with_slices(whole: Sequence[Gpu]) -> list[Gpu]:
    """Slices in place of the GPUs that have some."""
    listed, _ = _ask(["-L"])
    slices: dict[int, list[Gpu]] = {}
    owner: Gpu | None = None
    for line in listed.splitlines():
        if begins := _GPU_LINE.match(line):
            owner = next((gpu for gpu in whole if gpu.index == int(begins[1])), None)
        elif owner and (slice_ := _SLICE_LINE.match(line)):
            sevenths, gigabytes, uuid = slice_.groups()
            memory = int(gigabytes) * _SLICE_MIB_PER_GB * _MIB
            part = replace(
                owner,
                name=_slice_name(owner.name, gigabytes),
                memory_bytes=memory,
                free_bytes=memory,
                uuid=uuid,
                share=int(sevenths) / 7,
            )
            slices.setdefault(owner.index, []).append(part)
    return [found for gpu in whole for found in slices.get(gpu.index, [gpu])]


def _visible(found: Sequence[Gpu], names: str) -> list[Gpu]:
    """Those that ``names`` lists, in its order. As CUDA does, what follows a name that means
    nothing is hidden too."""
    kept: list[Gpu] = []
    for name in map(str.strip, names.split(",")):
        if name.isdecimal():
            named = [gpu for gpu in found if gpu.index == int(name)][:1]
        else:
            named = [gpu for gpu in found if name and gpu.uuid.startswith(name)][:1]
        if not named:
            break
        kept += named
    return kept
