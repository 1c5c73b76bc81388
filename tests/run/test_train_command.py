"""`train`, `stop` and `resume` as a person types them, with the real training."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from lora_wizard.core.run.directory import RunDirectory
from lora_wizard.core.run.status import summary
from PIL import Image

from .conftest import until


def wizard(*words: object) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "lora_wizard.tui.cli", *map(str, words)]
    return subprocess.run(command, capture_output=True)


@contextmanager
def frozen(run: RunDirectory) -> Iterator[None]:
    """The job stands still meanwhile: on a busy machine it would be done before a command is."""
    pid = run.record().pid
    assert pid
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@pytest.fixture
def toml(tmp_path: Path, tiny_sd: Path) -> Path:
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for number in range(4):
        Image.new("RGB", (32, 32), (60 * number, 90, 30)).save(pictures / f"{number}.png")
        (pictures / f"{number}.txt").write_text("a red thing")
    path = tmp_path / "run.toml"
    path.write_text(
        f"""
        model = {{ base = "{tiny_sd}", precision = "fp32" }}
        dataset = {{ folder = "pictures", resolution = 32, bucket_step = 16 }}
        training = {{ epochs = 30, batch_size = 2 }}
        network = {{ rank = 2 }}
        output = {{ folder = "output", name = "mika", save_every_epochs = 0 }}
        """
    )
    return path


def test_a_run_from_the_toml_to_the_file_and_a_stopped_one_to_the_same(
    toml: Path, tmp_path: Path
) -> None:
    whole = wizard("train", toml, "--json")
    assert whole.returncode == 0, whole.stderr
    kinds = [json.loads(line)["kind"] for line in whole.stdout.splitlines()]
    assert kinds[:2] == ["run", "started"] and kinds[-1] == "finished" and kinds.count("step") == 60

    assert wizard("train", toml, "--detach").returncode == 0
    stopped = RunDirectory.open(tmp_path / "output" / "mika-2")
    until(lambda: summary(stopped).step or not stopped.is_live())
    with frozen(stopped):
        assert wizard("stop", "mika-2").returncode == 0
    until(lambda: not stopped.is_live())
    assert stopped.record().exit_code == 75
    at = summary(stopped).step
    assert 0 < at < 60
    beside = wizard("train", toml, "--set", "training.max_steps=1")
    assert b"mika-2 was left at step" in b" ".join(beside.stderr.split())
    assert b"lora-wizard resume mika-2" in beside.stderr

    resumed = wizard("resume", "mika-2")
    assert resumed.returncode == 0, resumed.stderr
    said = resumed.stdout.index(b"mika-2 was left at step %d of 60." % at)
    assert said < resumed.stdout.index(b"goes on after step %d\n" % at)
    assert resumed.stdout.endswith(f"Finished: {stopped.path}/mika.safetensors\n".encode())

    files = [tmp_path / "output" / name / "mika.safetensors" for name in ("mika", "mika-2")]
    assert len({hashlib.sha256(path.read_bytes()).digest() for path in files}) == 1
    assert stopped.record().command == ["lora-wizard", "train", str(toml)]


def test_what_cannot_run_is_refused_before_a_run_is_made(toml: Path, tmp_path: Path) -> None:
    (tmp_path / "pictures" / "0.png").write_bytes(b"no picture")
    refused = wizard("train", toml, "--set", "training.epochs=none")
    assert refused.returncode == 2 and b"training.epochs" in refused.stderr
    refused = wizard("train", toml)
    assert refused.returncode == 2 and b"0.png" in refused.stderr
    assert b"Traceback" not in refused.stderr
    assert not (tmp_path / "output").exists()


def test_a_run_that_goes_on_is_named_to_whoever_starts_another(
    toml: Path, run: RunDirectory, start: Callable[..., subprocess.Popen[bytes]]
) -> None:
    start(steps=100_000)
    beside = wizard("train", toml, "--set", "training.max_steps=1")
    assert beside.returncode == 0
    assert b"lora-wizard attach mika" in beside.stderr
