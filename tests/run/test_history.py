"""The curves of a run, against a calculation that keeps everything."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lora_wizard.core.run.history import Column, History, Series

VALUES = st.none() | st.floats(-1e6, 1e6)
RUNS = st.lists(VALUES, min_size=1, max_size=60)


def smoothed(values: list[float]) -> float:
    """The mean with weights that fall by 2 % a step."""
    weights = [0.98**age for age in range(len(values))]
    return sum(w * v for w, v in zip(weights, reversed(values), strict=True)) / sum(weights)


def near(value: float) -> object:
    return pytest.approx(value, rel=1e-6, abs=1e-6)


def check(column: Column, values: dict[int, float | None]) -> None:
    """Compare a column with the values of all steps."""
    inside = [
        value
        for step, value in values.items()
        if value is not None and column.first_step <= step <= column.last_step
    ]
    until = [v for step, v in values.items() if v is not None and step <= column.last_step]
    assert (column.low, column.high) == (min(inside), max(inside))
    assert column.mean == near(math.fsum(inside) / len(inside))
    assert column.smoothed == near(smoothed(until))


@given(runs=st.lists(RUNS, min_size=1, max_size=4), most=st.integers(1, 80), data=st.data())
def test_columns_are_those_of_the_steps_that_count(
    runs: list[list[float | None]], most: int, data: st.DataObject
) -> None:
    """Each run after the first goes on somewhere inside what there is."""
    series, values = Series(), dict[int, float | None]()
    for run in runs:
        start = data.draw(st.integers(1, len(values) + 1))
        values = {step: value for step, value in values.items() if step < start}
        for step, value in enumerate(run, start):
            series.add(step, value)
            values[step] = value
    columns = series.columns(most)
    assert len(columns) <= most
    for column in columns:
        check(column, values)
    finite = [value for value in values.values() if value is not None]
    covered = [
        step
        for column in columns
        for step, value in values.items()
        if value is not None and column.first_step <= step <= column.last_step
    ]
    assert len(covered) == len(set(covered)) == len(finite), "each value is in one column"
    assert series.not_finite == [step for step, value in values.items() if value is None]
    assert (series.smoothed is None) == (not finite)


@pytest.mark.parametrize("steps", [2047, 2048, 2049, 5000, 20_001])
@pytest.mark.parametrize("apart", [1, 7])
def test_long_runs_lose_no_peak_and_no_memory(steps: int, apart: int) -> None:
    series = Series()
    values = {at * apart: math.sin(at) + (50 if at == steps // 2 else 0) for at in range(1, steps)}
    for step, value in values.items():
        series.add(step, value)
    columns = series.columns(100)
    assert 50 <= len(columns) <= 100
    for column in columns:
        check(column, dict(values))
    assert max(column.high for column in columns) > 49
    assert len(series.columns(10**6)) <= 2048


def test_a_resume_in_a_long_run_forgets_what_came_after() -> None:
    series = Series()
    for step in range(1, 10_001):
        series.add(step, 1.0 if step < 7003 else 9.0)
    for step in range(7003, 7101):
        series.add(step, 1.0)
    assert series.last_step == 7100
    columns = series.columns(2048)
    assert max(column.high for column in columns if column.last_step < 7000) == 1.0
    assert sum(column.high > 1.0 for column in columns) <= 1, "the bin that was cut, no other"
    assert series.smoothed == pytest.approx(1.0, abs=0.5)


def test_columns_of_a_range_stand_where_those_of_another_series_do() -> None:
    loss, validation = Series(), Series()
    for step in range(1, 101):
        loss.add(step, 1 / step)
    for step in (50, 100):
        validation.add(step, 0.5)
    columns = validation.columns(10, loss.first_step, loss.last_step)
    assert [(column.first_step, column.mean) for column in columns] == [(50, 0.5), (100, 0.5)]
    assert loss.columns(4, 21, 60)[0].first_step == 21


def step(number: int, epoch: int = 1, **fields: object) -> dict[str, object]:
    return {"kind": "step", "step": number, "epoch": epoch, "loss": 0.5, **fields}


def test_a_run_that_was_killed_and_resumed() -> None:
    history = History()
    for number in range(1, 31):
        rates = {"unet": 1e-4, "text_encoder": 5e-5}
        history.add(step(number, (number - 1) // 10 + 1, learning_rates=rates, memory=number))
        if number % 10 == 0:
            history.add({"kind": "validation", "step": number, "loss": number / 100})
            path = f"mika-{number // 10:06d}.safetensors"
            history.add({"kind": "saved", "step": number, "path": path, "bytes": 7})
    history.add({"kind": "started"})
    for number in range(16, 23):
        history.add(step(number, (number - 1) // 10 + 1, learning_rates={"unet": 2e-4}, memory=3))
    assert history.last_step == 22
    assert history.epochs == [(1, 1), (11, 2), (21, 3)]
    assert history.validation.last_step == 10
    assert history.learning_rates["text_encoder"].last_step == 15
    assert [column.mean for column in history.learning_rates["unet"].columns(99, 15, 16)] == [
        1e-4,
        2e-4,
    ]
    assert history.memory.last_step == 22
    assert [mark.step for mark in history.saves] == [10, 20, 30], "files stay what they are"


def test_samples_by_step_and_prompt() -> None:
    history = History()
    for number in (0, 10, 20, 10):
        for at in (1, 2):
            path = f"samples/step{number:08d}-{at:02d}.png"
            event = {"kind": "sample", "step": number, "epoch": 1, "path": path, "prompt": str(at)}
            history.add({**event, "seed": 42})
    assert [(mark.step, mark.prompt) for mark in history.samples] == [
        (0, "1"), (0, "2"), (10, "1"), (10, "2"), (20, "1"), (20, "2"),
    ]  # fmt: skip
    assert history.samples[0].seed == 42


FIELDS = ["step", "epoch", "loss", "learning_rates", "memory", "path", "prompt", "seed", "bytes"]
ANY = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.just({"a": "b"})
    | st.just({"unet": 1e-4})
)


@given(
    st.lists(
        st.builds(
            lambda kind, fields: {**fields, "kind": kind},
            st.sampled_from(["started", "step", "validation", "saved", "sample", "new"]),
            st.dictionaries(st.sampled_from(FIELDS), ANY),
        ),
        max_size=30,
    )
)
def test_any_events_give_some_history(events: list[dict[str, object]]) -> None:
    history = History()
    for event in events:
        history.add(event)
    for series in (history.loss, history.validation, *history.learning_rates.values()):
        for column in series.columns(10):
            assert column.low <= column.high
    assert sorted(history.samples, key=lambda mark: mark.step) == history.samples
    assert [first for first, _ in history.epochs] == sorted(first for first, _ in history.epochs)
