"""GPUs as nvidia-smi tells of them: each test puts a script of that name on the PATH."""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from lora_wizard.core import hardware
from lora_wizard.core.hardware import PROCESSOR, Gpu, device_name, precision_advice

MIB = 1 << 20
RTX_4090 = "0, GPU-aaaa, NVIDIA GeForce RTX 4090, 24564, 24100, 550.54.15, 8.9, [N/A]"
TESLA_T4 = "1, GPU-bbbb, Tesla T4, 15360, 14900, 550.54.15, 7.5, [N/A]"
A100_IN_SLICES = "0, GPU-cccc, NVIDIA A100-SXM4-40GB, 40960, [N/A], 535.1, 8.0, Enabled"
SLICES = """GPU 0: NVIDIA A100-SXM4-40GB (UUID: GPU-cccc)
  MIG 3g.20gb     Device  0: (UUID: MIG-1111)
  MIG 1g.5gb+me   Device  1: (UUID: MIG-2222)
"""

Install = Callable[[str], None]


@pytest.fixture(autouse=True)
def asked_anew(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    hardware.hardware.cache_clear()
    yield
    hardware.hardware.cache_clear()


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Makes the lines of a shell script the machine's nvidia-smi."""

    def write(script: str) -> None:
        path = tmp_path / "nvidia-smi"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    return write


def prints(*lines: str) -> str:
    return "cat <<'END'\n" + "\n".join(lines) + "\nEND"


def test_a_gpu_is_described(install: Install) -> None:
    install(prints(RTX_4090))
    (gpu,) = hardware.gpus()
    assert gpu.name == "NVIDIA GeForce RTX 4090"
    assert (gpu.memory_bytes, gpu.free_bytes) == (24564 * MIB, 24100 * MIB)
    assert gpu.capability == (8, 9)
    assert gpu.driver == "550.54.15"


def test_no_gpu_and_no_driver_is_no_trouble(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert hardware.hardware() == hardware.Hardware((), "")


@pytest.mark.parametrize(
    ("visible", "names"),
    [
        (None, ["NVIDIA GeForce RTX 4090", "Tesla T4"]),
        ("1,0", ["Tesla T4", "NVIDIA GeForce RTX 4090"]),
        ("GPU-bb", ["Tesla T4"]),
        ("1,7,0", ["Tesla T4"]),
        ("-1", []),
        ("", []),
    ],
)
def test_only_visible_gpus_count(
    install: Install, monkeypatch: pytest.MonkeyPatch, visible: str | None, names: list[str]
) -> None:
    install(prints(RTX_4090, TESLA_T4))
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    found = hardware.hardware()
    assert [gpu.name for gpu in found.gpus] == names
    assert bool(found.trouble) == (not names)


def test_slices_stand_for_the_gpu_that_is_cut(
    install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(f'if [ "$1" = -L ]; then\n{prints(SLICES)}\nelse\n{prints(A100_IN_SLICES)}\nfi')
    first, second = hardware.gpus()
    assert first.uuid == "MIG-1111"
    assert first.memory_bytes == pytest.approx(20e9, rel=0.05)
    assert second.memory_bytes == pytest.approx(5e9, rel=0.05)
    assert first.capability == (8, 0)
    hardware.hardware.cache_clear()
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "MIG-2222")
    assert hardware.gpus() == [second]


def test_a_driver_that_is_too_old_for_the_capability(install: Install) -> None:
    refusal = prints('Field "compute_cap" is not a valid field to query.')
    old = prints("0, GPU-dddd, Tesla K80, 11441, 11000, 418.67")
    install(f'case "$1" in *compute_cap*)\n{refusal}\nexit 2;; *)\n{old}\n;; esac')
    (gpu,) = hardware.gpus()
    assert (gpu.name, gpu.capability) == ("Tesla K80", None)


def test_a_driver_that_hangs_is_left_alone(
    install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hardware, "PATIENCE", 0.3)
    install("sleep 60 & wait")
    found = hardware.hardware()
    assert not found.gpus
    assert "did not answer" in found.trouble


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("echo 'Failed to initialize NVML: Driver/library version mismatch'; exit 18", "mismatch"),
        ("exit 9", "exit status 9"),
        ("head -c 20000 /dev/urandom", "names no GPU"),
        ("echo 'No devices were found'", "No devices were found"),
        (prints("0, GPU-e, A, B, 24564, 1, 2, 3, 4, 5"), "names no GPU"),
    ],
)
def test_what_is_wrong_is_said(install: Install, script: str, said: str) -> None:
    install(script)
    found = hardware.hardware()
    assert not found.gpus
    assert said in found.trouble


@pytest.mark.parametrize(
    ("capability", "precision"),
    [
        ((12, 0), "bf16"),
        ((8, 6), "bf16"),
        ((8, 0), "bf16"),
        ((7, 5), "fp16"),
        ((6, 1), "fp16"),
        ((5, 2), "fp16"),
        (None, "fp16"),
    ],
)
def test_advice_follows_the_gpu(capability: tuple[int, int] | None, precision: str) -> None:
    advised, reason = precision_advice([Gpu("A GPU", 8 << 30, 8 << 30, capability)])
    assert advised == precision
    assert "A GPU" in reason


def test_advice_without_a_gpu() -> None:
    assert precision_advice([])[0] == "fp32"


@pytest.mark.parametrize(
    ("cuda_name", "name"),
    [
        ("NVIDIA H200", "NVIDIA H200"),
        ("NVIDIA A100-SXM4-40GB MIG 3g.20gb", "NVIDIA A100-SXM4-40GB (a slice of 20 GB)"),
        ("NVIDIA A100-SXM4-40GB MIG 1g.5gb+me", "NVIDIA A100-SXM4-40GB (a slice of 5 GB)"),
        ("", PROCESSOR),
    ],
)
def test_cudas_names_are_those_of_nvidia_smi(cuda_name: str, name: str) -> None:
    assert device_name(cuda_name) == name
