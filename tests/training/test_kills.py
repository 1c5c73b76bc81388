"""Runs that are killed without warning, at any moment of any phase, and resumed."""

from __future__ import annotations

import itertools
import json
import random
import shutil
import signal
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest
from forked_jobs import ForkServer, fork_server
from lora_wizard.core.config import RunConfig
from lora_wizard.core.files import temporaries
from lora_wizard.core.run.directory import RunDirectory
from training_runs import events, sd_config, toy_config

KILLED = -signal.SIGKILL
STOPPED = 75
KILLS_PER_RUN = 5


@pytest.fixture(scope="module")
def server(toy_family: Path) -> Iterator[ForkServer]:
    with fork_server(toy_family) as running:
        yield running


def whole_product(base: Path, pictures: Path, runs: Path) -> RunConfig:
    """Stable Diffusion with everything that a run writes."""
    return sd_config(
        base,
        pictures,
        runs,
        optimizer={"text_encoder_learning_rate": "off", "loraplus_ratio": 4.0},
        training={"epochs": 3, "ema_decay": 0.8},
        captions={"dropout": 0.2},
        augmentation={"flip": True},
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

    def wait_for(self, phase: str, occurrence: int = 1) -> bool:
        """Until ``phase`` begins for the nth time; False when the job ends before."""
        while True:
            self.poll()
            names = [name for name, _ in self.phases]
            if names.count(phase) >= occurrence:
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
        assert server.finish(everything.path, cache / "a") == 0
        self.every_file = contents(everything)
        undisturbed = RunDirectory.create(config)
        watched = Watched(undisturbed)
        assert server.finish(undisturbed.path, cache / "b") == 0
        watched.poll()
        self.contents = contents(undisturbed)
        self.durations: dict[str, list[float]] = defaultdict(list)
        """By phase, of each time that it comes."""
        for (name, begin), (_, end) in itertools.pairwise(watched.phases):
            self.durations[name].append(end - begin)


def kill_and_resume(
    server: ForkServer, reference: Reference, kills: int, chance: random.Random, cache: Path
) -> Counter[str]:
    """Kill runs ``kills`` times, a few times each, and check every one of them. Returns how often
    which phase was hit."""
    hits: Counter[str] = Counter()
    phases = itertools.cycle(reference.durations)
    while hits.total() < kills:
        run = RunDirectory.create(reference.config)
        place = cache / run.name
        for _ in range(KILLS_PER_RUN):
            phase = next(phases)
            occurrence = chance.randrange(len(reference.durations[phase]))
            watched = Watched(run)
            job = server.start(run.path, place)
            if watched.wait_for(phase, occurrence + 1):
                time.sleep(chance.uniform(0, reference.durations[phase][occurrence]))
            job.send(signal.SIGKILL)
            status = job.wait()
            check_whole(run, reference.every_file)
            if status != KILLED:
                break
            watched.poll()
            hits[watched.phases[-1][0] if watched.phases else "start"] += 1
        assert server.finish(run.path, place) == 0, run.log_path.read_text()
        assert contents(run) == reference.contents
        assert not list(temporaries(run.path))
        shutil.rmtree(run.path)
        shutil.rmtree(place)
    return hits


def test_twenty_kills_over_all_phases(
    server: ForkServer, tiny_sd: Path, pictures: Path, tmp_path: Path
) -> None:
    reference = Reference(server, whole_product(tiny_sd, pictures, tmp_path / "runs"), tmp_path)
    hits = kill_and_resume(server, reference, 20, random.Random(), tmp_path)
    assert len(hits) >= 5, hits


@pytest.mark.slow
def test_two_hundred_kills(
    server: ForkServer, tiny_sd: Path, pictures: Path, tmp_path: Path
) -> None:
    reference = Reference(server, whole_product(tiny_sd, pictures, tmp_path / "runs"), tmp_path)
    hits = kill_and_resume(server, reference, 200, random.Random(), tmp_path)
    assert hits.keys() >= {"cache latents", "train", "save", "sample"}, hits


def crash_points(server: ForkServer, config: RunConfig, cache: Path) -> int:
    """How many changes to the file system a run makes, found by halving."""
    low, high = 0, 4096
    while high - low > 1:
        middle = (low + high) // 2
        run = RunDirectory.create(config)
        place = cache / run.name
        status = server.start(run.path, place, middle).wait()
        low, high = (middle, high) if status == KILLED else (low, middle)
        shutil.rmtree(run.path)
    return low


def crash_everywhere(server: ForkServer, config: RunConfig, tmp_path: Path, stride: int) -> int:
    """Crash at every ``stride``th change to the file system; how many changes there are."""
    reference = Reference(server, config, tmp_path)
    count = crash_points(server, config, tmp_path)
    for point in range(1 + random.randrange(stride), count + 1, stride):
        run = RunDirectory.create(config)
        place = tmp_path / run.name
        assert server.start(run.path, place, point).wait() == KILLED
        check_whole(run, reference.every_file)
        # The second crash falls into the resume of the first.
        server.start(run.path, place, 1 + point // 3).wait()
        check_whole(run, reference.every_file)
        assert server.finish(run.path, place) == 0, run.log_path.read_text()
        assert contents(run) == reference.contents, point
        assert not list(temporaries(run.path))
        shutil.rmtree(run.path)
        shutil.rmtree(place)
    return count


def test_crashes_at_changes_on_disk(server: ForkServer, pictures: Path, tmp_path: Path) -> None:
    config = toy_config(
        pictures, tmp_path / "runs", training={"max_steps": 4}, output={"keep_last": 1}
    )
    assert crash_everywhere(server, config, tmp_path, 9) > 50


@pytest.mark.slow
def test_a_crash_at_every_change_on_disk(
    server: ForkServer, pictures: Path, tmp_path: Path
) -> None:
    config = toy_config(
        pictures, tmp_path / "runs", training={"max_steps": 4}, output={"keep_last": 1}
    )
    crash_everywhere(server, config, tmp_path, 1)


def test_sigterm_before_the_first_step_ends_at_once(
    server: ForkServer, pictures: Path, tmp_path: Path
) -> None:
    run = RunDirectory.create(toy_config(pictures, tmp_path))
    watched = Watched(run)
    job = server.start(run.path, tmp_path / "cache")
    assert watched.wait_for("cache latents")
    job.send(signal.SIGTERM)
    assert job.wait() == STOPPED
    assert not events(run, "step") and run.record().outcome == "stopped"
    assert server.finish(run.path, tmp_path / "cache") == 0


def test_sigterm_while_training_saves_and_loses_nothing(
    server: ForkServer, pictures: Path, tmp_path: Path
) -> None:
    config = toy_config(
        pictures, tmp_path, training={"epochs": 40}, output={"save_every_epochs": 0}
    )
    whole, run = RunDirectory.create(config), RunDirectory.create(config)
    assert server.finish(whole.path, tmp_path / "cache") == 0
    watched = Watched(run)
    job = server.start(run.path, tmp_path / "cache")
    assert watched.wait_for("train")
    time.sleep(0.05)
    job.send(signal.SIGTERM)
    assert job.wait() == STOPPED
    steps = [event["step"] for event in events(run, "step")]
    assert 0 < len(steps) < 120
    assert (run.path / f"toy-step{steps[-1]:08d}.safetensors").exists()
    assert server.finish(run.path, tmp_path / "cache") == 0
    assert [event["step"] for event in events(run, "step")] == list(range(1, 121))
    final = "toy.safetensors"
    assert (run.path / final).read_bytes() == (whole.path / final).read_bytes()
