"""Which picture is used when: nothing lost, nothing twice, the same wherever it is asked."""

from __future__ import annotations

from collections import Counter
from itertools import chain

from datasets import make_config, make_plan
from hypothesis import given, settings
from hypothesis import strategies as st
from lora_wizard.core.dataset.order import RegularizationCycle, micro_batches, windows
from lora_wizard.core.dataset.plan import Bucket, DatasetPlan, Window

BUCKETS = [Bucket(512, 512), Bucket(448, 576), Bucket(576, 448)]
PICTURES = st.lists(st.tuples(st.sampled_from(BUCKETS), st.integers(1, 4)), min_size=1, max_size=9)
CLASSES = st.lists(st.tuples(st.sampled_from(BUCKETS), st.integers(1, 2)), max_size=12)


def uses(plan_windows: list[Window]) -> Counter[tuple[str, int]]:
    draws = chain.from_iterable(chain.from_iterable(plan_windows))
    return Counter((draw.sample.id, draw.repeat) for draw in draws)


@settings(max_examples=60)
@given(PICTURES, CLASSES, st.integers(1, 5), st.integers(1, 4), st.integers(1, 3))
def test_an_epoch_uses_every_picture_as_often_as_its_repeats(
    training: list[tuple[Bucket, int]],
    regularization: list[tuple[Bucket, int]],
    batch: int,
    accumulation: int,
    epoch: int,
) -> None:
    plan = make_plan(training, regularization)
    config = make_config(
        training={"batch_size": batch, "gradient_accumulation": accumulation, "epochs": 9}
    )
    made = windows(plan, config, epoch)
    counts = uses(made)
    assert set(counts.values()) == {1}
    expected = {(item.id, use) for item in plan.training_samples for use in range(item.repeats)}
    assert {item for item in counts if item[0].startswith("concept")} == expected
    classes = sum(item[0].startswith("class") for item in counts)
    assert classes == (len(expected) if regularization else 0)
    assert all(len(window) == accumulation for window in made[:-1])
    for group in chain.from_iterable(made):
        assert len({draw.sample.bucket for draw in group}) == 1
        assert {draw.epoch for draw in group} == {epoch}
        assert 1 <= len(group) <= batch


def test_only_the_last_batch_of_a_bucket_is_smaller() -> None:
    plan = make_plan([(BUCKETS[0], 7), (BUCKETS[1], 5)])
    config = make_config(training={"batch_size": 4})
    sizes = {bucket: [] for bucket in BUCKETS[:2]}
    for group in micro_batches(plan, config, 1):
        sizes[group[0].sample.bucket].append(len(group))
    assert [sorted(found) for found in sizes.values()] == [[3, 4], [1, 4]]


@settings(max_examples=40)
@given(CLASSES.filter(bool), st.integers(1, 30), st.integers(1, 5))
def test_regularization_pictures_take_turns_over_the_epochs(
    regularization: list[tuple[Bucket, int]], repeats: int, epochs: int
) -> None:
    plan = make_plan([(BUCKETS[0], repeats)], regularization)
    cycle = RegularizationCycle.of(plan, seed=3)
    used = Counter(
        draw.sample.id for epoch in range(1, epochs + 1) for draw in cycle.of_epoch(epoch)
    )
    assert used.total() == repeats * epochs
    # After whole turns each was used as often as its repeats say; in between, at most one more.
    turns, rest = divmod(repeats * epochs, len(cycle.turn))
    for sample in plan.regularization_samples:
        assert turns * sample.repeats <= used[sample.id] <= (turns + bool(rest)) * sample.repeats


def test_epochs_and_seeds_have_orders_of_their_own_and_keep_them() -> None:
    plan = make_plan([(BUCKETS[0], 1)] * 40)
    orders = {
        (seed, epoch): [
            draw.sample.id
            for group in micro_batches(plan, make_config(training={"seed": seed}), epoch)
            for draw in group
        ]
        for seed in (1, 2)
        for epoch in (1, 2)
    }
    assert len({tuple(order) for order in orders.values()}) == 4
    again = micro_batches(plan, make_config(training={"seed": 2}), 2)
    assert [group[0].sample.id for group in again] == orders[2, 2]


def ids(plan: DatasetPlan, processes: int, accumulation: int, step: int) -> Counter[str]:
    """Pictures of one step over all processes."""
    config = make_config(training={"gradient_accumulation": accumulation, "batch_size": 2})
    found: Counter[str] = Counter()
    for rank in range(processes):
        window = windows(plan, config, 1, processes, rank)[step]
        found.update(draw.sample.id for group in window for draw in group)
    return found


def test_a_step_has_the_same_pictures_on_any_number_of_processes() -> None:
    plan = make_plan([(BUCKETS[number % 3], 1) for number in range(96)])
    for step in range(3):
        alone = ids(plan, 1, 4, step)
        assert ids(plan, 2, 2, step) == ids(plan, 4, 1, step) == alone


@settings(max_examples=60)
@given(PICTURES, st.integers(1, 3), st.integers(1, 3), st.integers(1, 5))
def test_processes_get_equally_many_whole_batches_and_all_of_them(
    training: list[tuple[Bucket, int]], batch: int, accumulation: int, processes: int
) -> None:
    plan = make_plan(training)
    config = make_config(training={"batch_size": batch, "gradient_accumulation": accumulation})
    alone = micro_batches(plan, config, 1)
    ranks = [windows(plan, config, 1, processes, rank) for rank in range(processes)]
    assert len({len(made) for made in ranks}) == 1
    shared = [group for made in ranks for window in made for group in window]
    assert set(shared) == set(alone)
    assert 0 <= len(shared) - len(alone) < processes
