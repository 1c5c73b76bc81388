"""What a run learned is measured beside it; how the training ended stays as it was."""

from __future__ import annotations

import json
from pathlib import Path
from threading import Event

import pytest
from lora_wizard.core.config import RunConfig
from lora_wizard.core.run import measure
from lora_wizard.core.run.directory import RunDirectory
from lora_wizard.core.run.events import EventReader
from lora_wizard.core.run.status import summary
from lora_wizard.tui.walk import learned


@pytest.fixture
def finished(config: RunConfig, monkeypatch: pytest.MonkeyPatch) -> RunDirectory:
    monkeypatch.setitem(measure.MODULES, "toy", "measures")
    run = RunDirectory.create(config, measure="toy")
    run.update(outcome="finished", attempts=1, exit_code=0)
    return run


def kinds(run: RunDirectory) -> list[str]:
    return [event["kind"] for event in EventReader(run.events_path).read()]


def test_the_record_goes_on_saying_how_the_training_ended(
    finished: RunDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEASURE", "wait")
    before = finished.record()
    process = measure.begin(finished)
    assert process is not None
    assert measure.is_going_on(finished)
    assert summary(finished).state == "finished"
    (finished.path / "go").touch()
    assert process.wait() == 0
    assert finished.record() == before
    assert kinds(finished) == ["measured"]
    found = measure.measurement(finished)
    assert found == measure.Measurement(True, ("It learned.", "In 90% of 20."), {"share": 0.9})
    assert not measure.is_going_on(finished)


def test_it_is_measured_once_however_many_watch(
    finished: RunDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEASURE", "wait")
    process = measure.begin(finished)
    assert measure.begin(finished) is None
    other = learned.follow(finished, Event())
    assert next(other) == learned.UNDER_WAY
    (finished.path / "go").touch()
    assert list(other) == ["It learned. In 90% of 20."]
    assert process is not None and process.wait() == 0
    assert measure.begin(finished) is None
    assert list(learned.follow(finished, Event())) == ["It learned. In 90% of 20."]
    assert len(list(finished.path.glob("measured-by-*"))) == 1


def test_a_watcher_who_leaves_does_not_wait(
    finished: RunDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEASURE", "wait")
    left = Event()
    watching = learned.follow(finished, left)
    assert next(watching) == learned.UNDER_WAY
    left.set()
    assert list(watching) == []
    (finished.path / "go").touch()


def test_a_failure_is_told_and_fails_nothing(
    finished: RunDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEASURE", "fail")
    monkeypatch.setenv("HF_TOKEN", "hf_" + "x" * 34)
    said = list(learned.follow(finished, Event()))
    assert said[-1].endswith(str(finished.log_path) + ".")
    assert finished.record().outcome == "finished"
    (event,) = EventReader(finished.events_path).read()
    assert event["kind"] == "problem"
    assert "no judge" in event["message"]
    assert "Traceback" in finished.log_path.read_text()
    assert "hf_xxx" not in finished.log_path.read_text() + json.dumps(event)


@pytest.mark.parametrize("outcome", ["created", "running", "stopped", "failed"])
def test_only_what_has_finished_is_measured(finished: RunDirectory, outcome: str) -> None:
    finished.update(outcome=outcome)
    assert measure.begin(finished) is None


@pytest.mark.parametrize("name", ["", "os", "lora_wizard.core.training", 7])
def test_a_record_names_no_module_of_its_own(finished: RunDirectory, name: object) -> None:
    stored = json.loads(finished.record_path.read_bytes())
    finished.record_path.write_text(json.dumps(stored | {"measure": name}))
    assert measure.begin(finished) is None


@pytest.mark.parametrize("text", ["", "[]", '{"words": 3, "learned": true, "figures": {}}'])
def test_a_damaged_result_counts_as_none(finished: RunDirectory, text: str) -> None:
    Path(finished.path / measure.RESULT_FILE).write_text(text)
    assert measure.measurement(finished) is None
