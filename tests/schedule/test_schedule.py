"""The arithmetic of a run is the length of the very windows that are trained."""

from __future__ import annotations

import math
from itertools import accumulate
from typing import Any

import pytest
from datasets import make_config, make_plan
from hypothesis import given, settings
from hypothesis import strategies as st
from lora_wizard.core.config import RunConfig
from lora_wizard.core.dataset.order import windows
from lora_wizard.core.dataset.plan import Bucket, DatasetPlan
from lora_wizard.core.schedule import BatchCounts, Schedule
from lora_wizard.core.solving import solve_epochs, solve_repeats, with_repeats

BUCKETS = [Bucket(512, 512), Bucket(448, 576), Bucket(576, 448), Bucket(384, 640)]
PICTURES = st.lists(st.tuples(st.sampled_from(BUCKETS), st.integers(1, 5)), min_size=1, max_size=8)
CLASSES = st.lists(st.tuples(st.sampled_from(BUCKETS), st.integers(1, 2)), max_size=40)
PLANS = st.builds(make_plan, PICTURES, CLASSES)
TRAINING = st.fixed_dictionaries(
    {
        "epochs": st.integers(1, 6),
        "batch_size": st.integers(1, 5),
        "gradient_accumulation": st.integers(1, 4),
        "seed": st.integers(0, 5),
    }
)
EVERY = st.integers(0, 7)


def walked(plan: DatasetPlan, config: RunConfig, processes: int = 1) -> list[tuple[int, int]]:
    """(epoch, window) of every step, by going through the windows until the run ends."""
    positions = [
        (epoch, index)
        for epoch in range(1, config.training.epochs + 1)
        for index in range(len(windows(plan, config, epoch, processes)))
    ]
    return positions[: config.training.max_steps]


@settings(max_examples=120, deadline=None)
@given(PLANS, TRAINING, st.none() | st.integers(1, 40), st.integers(1, 3))
def test_every_step_is_where_the_windows_are(
    plan: DatasetPlan, training: dict[str, Any], max_steps: int | None, processes: int
) -> None:
    config = make_config(training={**training, "max_steps": max_steps})
    schedule = Schedule.of(plan, config, processes)
    positions = walked(plan, config, processes)
    assert schedule.total_steps == len(positions)
    steps = range(1, schedule.total_steps + 1)
    assert [schedule.position(step) for step in steps] == positions
    assert schedule.epochs == positions[-1][0]
    for epoch, count in enumerate(schedule.steps_of_epochs, start=1):
        assert count == len(windows(plan, config, epoch, processes))
        assert schedule.position(schedule.first_step(epoch)) == (epoch, 0)
    for step in (0, -1, schedule.total_steps + 1):
        with pytest.raises(ValueError, match="step"):
            schedule.position(step)


def test_the_steps_of_an_epoch_are_the_formula_s() -> None:
    # 7 + 5 uses of two buckets in batches of 4: 2 + 2, gathered by 3: 2.
    plan = make_plan([(BUCKETS[0], 7), (BUCKETS[1], 5)])
    config = make_config(
        training={"batch_size": 4, "gradient_accumulation": 3, "epochs": 10, "max_steps": 15}
    )
    schedule = Schedule.of(plan, config)
    assert schedule.steps_of_epochs == (2,) * 8
    assert (schedule.total_steps, schedule.epoch_end_steps) == (15, (2, 4, 6, 8, 10, 12, 14))


def test_epochs_differ_when_regularization_pictures_of_other_shapes_take_turns() -> None:
    classes = [(BUCKETS[number % 4], 1) for number in range(23)]
    plan = make_plan([(BUCKETS[0], 3), (BUCKETS[1], 3)], classes)
    config = make_config(training={"batch_size": 3, "epochs": 40})
    steps = Schedule.of(plan, config).steps_of_epochs
    assert len(set(steps)) > 1
    assert list(steps) == [len(windows(plan, config, epoch)) for epoch in range(1, 41)]


@settings(deadline=None)
@given(PLANS, TRAINING, st.none() | st.integers(1, 40), EVERY, EVERY)
def test_files_are_saved_when_asked_and_at_the_end(
    plan: DatasetPlan, training: dict[str, Any], max_steps: int | None, epochs: int, steps: int
) -> None:
    config = make_config(
        training={**training, "max_steps": max_steps},
        output={"save_every_epochs": epochs, "save_every_steps": steps},
    )
    schedule = Schedule.of(plan, config)
    points = schedule.save_steps()
    assert [point.step for point in points] == sorted({point.step for point in points})
    assert points[-1].step == schedule.total_steps
    assert [point.is_final for point in points] == [False] * (len(points) - 1) + [True]
    ends = dict(
        zip(accumulate(schedule.steps_of_epochs), range(1, schedule.epochs + 1), strict=True)
    )
    expected = {}
    for step in range(1, schedule.total_steps):
        if steps and step % steps == 0:
            expected[step] = f"-step{step:08d}"
        if epochs and step in ends and ends[step] % epochs == 0:
            expected[step] = f"-{ends[step]:06d}"
    assert {point.step: point.suffix for point in points[:-1]} == expected


def test_file_names_are_the_ones_of_the_wild() -> None:
    plan = make_plan([(BUCKETS[0], 100)])
    output = {"save_every_epochs": 3, "save_every_steps": 250}
    config = make_config(training={"epochs": 4}, output=output)
    assert [(point.step, point.suffix) for point in Schedule.of(plan, config).save_steps()] == [
        (250, "-step00000250"),
        (300, "-000003"),
        (400, ""),
    ]


@pytest.mark.parametrize(
    ("samples", "expected"),
    [
        ({}, (0, 10, 20, 25)),
        ({"at_start": False}, (10, 20, 25)),
        ({"every_epochs": 2}, (0, 20, 25)),
        ({"every_epochs": 0, "every_steps": 8}, (0, 8, 16, 24, 25)),
        ({"every_epochs": 2, "every_steps": 10}, (0, 10, 20, 25)),
        ({"every_epochs": 0}, (0,)),
        ({"prompts": []}, ()),
    ],
)
def test_samples_are_drawn_at(samples: dict[str, Any], expected: tuple[int, ...]) -> None:
    plan = make_plan([(BUCKETS[0], 10)])
    config = make_config(
        training={"epochs": 9, "max_steps": 25}, samples={"prompts": ["a"], **samples}
    )
    assert Schedule.of(plan, config).sample_steps() == expected


@pytest.mark.parametrize(("warmup", "steps"), [(0, 0), (7, 7), (0.25, 10), (500, 40), (0.999, 40)])
def test_warmup_in_steps_or_as_a_share(warmup: float, steps: int) -> None:
    plan = make_plan([(BUCKETS[0], 10)])
    config = make_config(training={"epochs": 4}, optimizer={"warmup": warmup})
    assert Schedule.of(plan, config).warmup_steps == steps


@settings(max_examples=60, deadline=None)
@given(PLANS, TRAINING, st.integers(1, 500))
def test_the_epochs_for_a_number_of_steps_are_the_nearest(
    plan: DatasetPlan, training: dict[str, Any], target: int
) -> None:
    solved = solve_epochs(target, plan, make_config(training={**training, "max_steps": 1}))

    def steps(epochs: int) -> int:
        config = make_config(training={**training, "epochs": epochs})
        return Schedule.of(plan, config).total_steps

    assert steps(solved.epochs) == solved.steps
    off = abs(solved.steps - target)
    assert off <= abs(steps(solved.epochs + 1) - target)
    if solved.epochs > 1:
        assert off < abs(steps(solved.epochs - 1) - target)


@settings(max_examples=30, deadline=None)
@given(st.builds(make_plan, PICTURES), TRAINING, st.integers(1, 20))
def test_the_repeats_for_a_number_of_steps_are_the_nearest(
    plan: DatasetPlan, training: dict[str, Any], target: int
) -> None:
    config = make_config(training=training)
    solved = solve_repeats(target, plan, config)
    now = [item.repeats for item in plan.concepts]
    assert len({a / b for a, b in zip(solved.repeats, now, strict=True)}) == 1
    assert Schedule.of(solved.plan, config).total_steps == solved.steps
    unit = math.gcd(*now)
    most = target * training["batch_size"] * training["gradient_accumulation"]
    others = [with_repeats(plan, factor, unit) for factor in range(1, most + 2)]
    best = min(abs(Schedule.of(other, config).total_steps - target) for other in others)
    assert abs(solved.steps - target) == best


def test_an_empty_plan_has_no_schedule() -> None:
    with pytest.raises(ValueError, match="training pictures"):
        Schedule.of(make_plan([]), make_config())


@settings(max_examples=120, deadline=None)
@given(PLANS, TRAINING, st.integers(1, 6))
def test_counts_with_other_repeats_are_those_of_the_plan_with_them(
    plan: DatasetPlan, training: dict[str, Any], times: int
) -> None:
    config = make_config(training=training)
    scaled = BatchCounts.of(plan, config).with_repeats(times)
    made = BatchCounts.of(with_repeats(plan, times), config)
    for epoch in range(1, 5):
        assert scaled.uses(epoch) == made.uses(epoch)
        assert scaled.micro_batches(epoch) == made.micro_batches(epoch)
