from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lora_wizard.core.run.directory import RunDirectory
from lora_wizard.core.run.job import Job
from lora_wizard.core.run.status import Tracker, summary


def steps(first: int, last: int, *, start: float, pause: float, loss: float = 0.5) -> list[dict]:
    return [
        {
            "kind": "step",
            "time": start + pause * (step - first),
            "step": step,
            "total": 1000,
            "epoch": (step - 1) // 100 + 1,
            "epochs": 10,
            "loss": loss,
            "learning_rates": {"unet": 1e-4},
        }
        for step in range(first, last + 1)
    ]


def figures(events: list[dict]) -> Tracker:
    tracker = Tracker()
    for event in events:
        tracker.add(event)
    return tracker


def test_speed_leaves_pauses_out_and_the_time_left_counts_them() -> None:
    events = steps(1, 50, start=0, pause=0.5) + steps(51, 100, start=84.5, pause=0.5)
    found = figures(events).figures
    assert found.steps_per_second() == pytest.approx(2.0)
    # 99 steps took 109 s, a pause of 60 s included; 900 are left.
    assert found.eta_seconds() == pytest.approx(900 * 109 / 99)


def test_a_resume_counts_from_where_it_went_on() -> None:
    events = steps(1, 50, start=0, pause=0.5)
    events += [{"kind": "problem", "message": "old"}]
    events += [{"kind": "started", "attempt": 2}, {"kind": "phase", "phase": "train"}]
    events += steps(41, 60, start=9000, pause=2)
    found = figures(events).figures
    assert found.step == 60
    assert found.steps_per_second() == pytest.approx(0.5)
    assert found.eta_seconds() == pytest.approx(940 * 2)
    assert found.problems == []


def test_the_clock_stands_still_in_a_pause() -> None:
    events = steps(1, 50, start=0, pause=0.5)
    events += [{"kind": "paused", "time": 25.0, "step": 50}, {"kind": "phase", "phase": "paused"}]
    assert figures(events).figures.paused
    found = figures([*events, {"kind": "resumed", "time": 90_025.0}]).figures
    assert not found.paused
    events += [{"kind": "resumed", "time": 90_025.0}, *steps(51, 99, start=90_025, pause=0.5)]
    found = figures(events).figures
    assert found.steps_per_second() == pytest.approx(2.0)
    assert found.eta_seconds() == pytest.approx(901 * 0.5, rel=0.01)


@given(loss=st.floats(0.01, 10), count=st.integers(1, 200))
def test_a_constant_loss_is_smoothed_to_itself(loss: float, count: int) -> None:
    found = figures(steps(1, count, start=0, pause=1, loss=loss)).figures
    assert found.loss == pytest.approx(loss)


def test_a_late_change_of_the_loss_shows_but_does_not_jump() -> None:
    events = steps(1, 200, start=0, pause=1, loss=1.0) + steps(201, 250, start=200, pause=1, loss=0)
    loss = figures(events).figures.loss
    assert loss == pytest.approx(0.98**50, rel=0.05)


FIELDS = ["time", "step", "total", "epoch", "epochs", "loss", "phase", "done", "learning_rates"]
ANY = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just({"a": "b"})


@given(
    st.lists(
        st.builds(
            lambda kind, fields: {**fields, "kind": kind},
            st.sampled_from(
                [
                    "started",
                    "phase",
                    "progress",
                    "step",
                    "saved",
                    "problem",
                    "paused",
                    "resumed",
                    "new",
                ]
            ),
            st.dictionaries(st.sampled_from([*FIELDS, "path", "message", "memory"]), ANY),
        )
    )
)
def test_any_events_give_some_status(
    events: list[dict[str, object]],
) -> None:
    found = figures(events).figures
    shown = [found.loss, found.learning_rates, found.steps_per_second(), found.eta_seconds()]
    json.dumps(shown, allow_nan=False)


def test_a_live_run_and_a_finished_one(run: RunDirectory) -> None:
    assert summary(run).state == "new"
    with Job.hold(run) as job:
        job.phase("cache latents", total=14)
        job.progress(14)
        status = summary(run)
        assert (status.state, status.phase, status.done) == ("live", "cache latents", 14)
        job.may_end_now = False
        job.emit("step", step=1, total=1, epoch=1, loss=float("nan"))
        job.emit("saved", path="mika.safetensors", step=1, epoch=1)
        job.emit("problem", severity="warning", message="few pictures", remedy="Add some.")
    status = summary(run)
    assert (status.state, status.exit_code, status.last_file) == ("finished", 0, "mika.safetensors")
    assert status.loss is None
    assert status.problems == ["warning: few pictures. Add some."]
    assert status.eta_seconds is None
    json.dumps(status.as_json(), allow_nan=False)


def test_a_status_does_not_change_later(run: RunDirectory) -> None:
    tracker = figures([{"kind": "problem", "message": "one"}])
    before = tracker.status(run)
    tracker.add({"kind": "problem", "message": "two"})
    assert before.problems == ["one"]
