"""Runs that are killed without warning, at any moment of any phase, and resumed."""

from __future__ import annotations

import itertools
import json
import random
import shutil
import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from forked_jobs import ForkedJob, ForkServer, fork_server
from lora_wizard.core.config import RunConfig
from lora_wizard.core.files import temporaries
from lora_wizard.core.run.directory import RunDirectory
from training_runs import events, toy_config

KILLED = -signal.SIGKILL
STOPPED = 75
KILLS_PER_RUN = 5


@pytest.fixture(scope="module")
def server(toy_family: Path) -> Iterator[ForkServer]:
    with fork_server(toy_family) as running:
        yield running


def sd_config(base: Path, pictures: Path, runs: Path) -> RunConfig:
    return toy_config(
        pictures,
        runs,
        model={"base": str(base), "family": "sd1"},
        dataset={"resolution": 32, "bucket_step": 8},
        optimizer={"text_encoder_learning_rate": "off"},
        training={"epochs": 3},
        captions={"dropout": 0.2},
        output={"keep_last": 1, "save_every_steps": 2},
    )


class Watched:
    """A run directory, and what its events say while it goes on."""

    def __init__(self, run: RunDirectory) -> None:
        self.run = run
        self._offset = run.events_path.stat().st_size if run.events_path.exists() else 0
        self.phases: list[tuple[str, float]] = []

    def poll(self) -> None:
        if not self.run.events_path.exists():
            return
        with self.run.events_path.open("rb") as file:
            file.seek(self._offset)
            for line in file:
                if not line.endswith(b"\n"):
                    break
                self._offset += len(line)
                event = json.loads(line)
                if event["kind"] in ("phase", "finished"):
                    self.phases.append((event.get("phase", "end"), event["time"]))

    def wait_for(self, phase: str, job: ForkedJob) -> bool:
        """Until ``phase`` has begun; False when the job has ended before."""
        while True:
            self.poll()
            names = [name for name, _ in self.phases]
            if phase in names:
                return True
            if "end" in names:
                return False
            time.sleep(0.0005)


def contents(run: RunDirectory) -> dict[str, bytes]:
    """Everything that a person would take for finished."""
    found = [*run.path.glob("*.safetensors"), *run.samples_path.glob("*.png")]
    return {str(path.relative_to(run.path)): path.read_bytes() for path in found}


def check_whole(run: RunDirectory, every_file: dict[str, bytes]) -> None:
    """Whatever stands under a final name is, to the byte, what an undisturbed run writes there."""
    for name, data in contents(run).items():
        if not name.startswith("."):
            assert data == every_file[name], name


class Reference:
    """What an undisturbed run writes, and how long its phases are."""

    def __init__(self, server: ForkServer, config: RunConfig, cache: Path) -> None:
        self.config = config
        keeping_all = config.model_copy(
            update={"output": config.output.model_copy(update={"keep_last": 0})}
        )
        everything = RunDirectory.create(keeping_all)
        assert server.finish(everything.path, XDG_CACHE_HOME=str(cache / "a")) == 0
        self.every_file = contents(everything)
        undisturbed = RunDirectory.create(config)
        watched = Watched(undisturbed)
        assert server.finish(undisturbed.path, XDG_CACHE_HOME=str(cache / "b")) == 0
        watched.poll()
        self.contents = contents(undisturbed)
        self.durations = {
            name: min(end - begin, 1.0)
            for (name, begin), (_, end) in itertools.pairwise(watched.phases)
        }


def kill_and_resume(
    server: ForkServer, reference: Reference, kills: int, chance: random.Random, cache: Path
) -> Counter[str]:
    """Kill runs ``kills`` times, a few times each, and check every one of them. Returns how often
    which phase was hit."""
    hits: Counter[str] = Counter()
    phases = itertools.cycle(reference.durations)
    while hits.total() < kills:
        run = RunDirectory.create(reference.config)
        environment = {"XDG_CACHE_HOME": str(cache / run.name)}
        for _ in range(KILLS_PER_RUN):
            phase = next(phases)
            watched = Watched(run)
            job = server.start(run.path, **environment)
            if watched.wait_for(phase, job):
                time.sleep(chance.uniform(0, reference.durations[phase]))
            job.send(signal.SIGKILL)
            if job.wait() == KILLED:
                watched.poll()
                hits[watched.phases[-1][0] if watched.phases else "start"] += 1
            check_whole(run, reference.every_file)
        assert server.finish(run.path, **environment) == 0, run.log_path.read_text()
        assert contents(run) == reference.contents
        assert not list(temporaries(run.path))
        shutil.rmtree(run.path)
        shutil.rmtree(cache / run.name)
    return hits


def test_twenty_kills_over_all_phases(
    server: ForkServer, tiny_sd: Path, pictures: Path, tmp_path: Path
) -> None:
    reference = Reference(server, sd_config(tiny_sd, pictures, tmp_path / "runs"), tmp_path)
    print(reference.durations)
    hits = kill_and_resume(server, reference, 20, random.Random(), tmp_path)
    print(hits)
    assert len(hits) >= 5, hits


@pytest.mark.slow
def test_two_hundred_kills(
    server: ForkServer, tiny_sd: Path, pictures: Path, tmp_path: Path
) -> None:
    reference = Reference(server, sd_config(tiny_sd, pictures, tmp_path / "runs"), tmp_path)
    hits = kill_and_resume(server, reference, 200, random.Random(), tmp_path)
    assert hits.keys() >= {"cache latents", "train", "save", "sample"}, hits


def crash_points(server: ForkServer, config: RunConfig, cache: Path) -> int:
    """How many changes to the file system a run makes, found by halving."""
    low, high = 0, 4096
    while high - low > 1:
        middle = (low + high) // 2
        run = RunDirectory.create(config)
        place = cache / run.name
        status = server.start(run.path, crash_at=middle, XDG_CACHE_HOME=str(place)).wait()
        low, high = (middle, high) if status == KILLED else (low, middle)
        shutil.rmtree(run.path)
    return low


def crash_everywhere(server: ForkServer, config: RunConfig, tmp_path: Path, stride: int) -> int:
    """Crash at every ``stride``th change to the file system; the number of crashes."""
    reference = Reference(server, config, tmp_path)
    count = crash_points(server, config, tmp_path)
    for point in range(1, count + 1, stride):
        run = RunDirectory.create(config)
        environment = {"XDG_CACHE_HOME": str(tmp_path / run.name)}
        assert server.start(run.path, crash_at=point, **environment).wait() == KILLED
        check_whole(run, reference.every_file)
        # The second crash falls into the resume of the first.
        server.start(run.path, crash_at=1 + point // 3, **environment).wait()
        check_whole(run, reference.every_file)
        assert server.finish(run.path, **environment) == 0, run.log_path.read_text()
        assert contents(run) == reference.contents, point
        assert not list(temporaries(run.path))
        shutil.rmtree(run.path)
        shutil.rmtree(tmp_path / run.name)
    return count


def test_crashes_between_any_two_changes_on_disk(
    server: ForkServer, pictures: Path, tmp_path: Path
) -> None:
    config = toy_config(
        pictures, tmp_path / "runs", training={"max_steps": 4}, output={"keep_last": 1}
    )
    count = crash_everywhere(server, config, tmp_path, 7)
    print(count)


def test_sigterm_before_the_first_step_ends_at_once(
    server: ForkServer, pictures: Path, tmp_path: Path
) -> None:
    run = RunDirectory.create(toy_config(pictures, tmp_path))
    watched = Watched(run)
    job = server.start(run.path, XDG_CACHE_HOME=str(tmp_path / "cache"))
    assert watched.wait_for("cache latents", job)
    job.send(signal.SIGTERM)
    assert job.wait() == STOPPED
    assert not events(run, "step") and run.record().outcome == "stopped"
    assert server.finish(run.path) == 0


def test_sigterm_while_training_saves_and_loses_nothing(
    server: ForkServer, pictures: Path, tmp_path: Path
) -> None:
    config = toy_config(
        pictures, tmp_path, training={"epochs": 40}, output={"save_every_epochs": 0}
    )
    whole, run = RunDirectory.create(config), RunDirectory.create(config)
    assert server.finish(whole.path) == 0
    watched = Watched(run)
    job = server.start(run.path)
    assert watched.wait_for("train", job)
    time.sleep(0.05)
    job.send(signal.SIGTERM)
    assert job.wait() == STOPPED
    steps = [event["step"] for event in events(run, "step")]
    assert 0 < len(steps) < 120
    assert (run.path / f"toy-step{steps[-1]:08d}.safetensors").exists()
    assert server.finish(run.path) == 0
    assert [event["step"] for event in events(run, "step")] == list(range(1, 121))
    final = "toy.safetensors"
    assert (run.path / final).read_bytes() == (whole.path / final).read_bytes()
