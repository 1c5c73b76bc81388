"""What is written of a run's length says what the trainer will do."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from datasets import make_config, make_plan, write_pictures
from hypothesis import given, settings
from hypothesis import strategies as st
from lora_wizard.core.config import RunConfig
from lora_wizard.core.dataset.build import build_plan
from lora_wizard.core.dataset.plan import Bucket, DatasetPlan
from lora_wizard.core.families import registry
from lora_wizard.core.rules_of_thumb import explain
from lora_wizard.core.schedule import Schedule
from lora_wizard.tui.walk import lengths
from lora_wizard.tui.walk.arithmetic import bucket_shares, chain, rule_row, targets
from lora_wizard.tui.walk.draft import Draft

BUCKETS = [Bucket(512, 512), Bucket(448, 576), Bucket(576, 448), Bucket(384, 640)]
PICTURES = st.lists(st.tuples(st.sampled_from(BUCKETS), st.integers(1, 5)), min_size=1, max_size=8)
CLASSES = st.lists(st.tuples(st.sampled_from(BUCKETS), st.integers(1, 2)), max_size=20)
PLANS = st.builds(make_plan, PICTURES, CLASSES)
TRAINING = st.fixed_dictionaries(
    {
        "epochs": st.integers(1, 6),
        "batch_size": st.integers(1, 5),
        "gradient_accumulation": st.integers(1, 4),
        "max_steps": st.none() | st.integers(1, 60),
    }
)


def last_number(line: str) -> int:
    """The figure that a line comes to."""
    return int(re.findall(r"[\d,]*\d", line)[-1].replace(",", ""))


@settings(max_examples=150, deadline=None)
@given(PLANS, TRAINING)
def test_the_chain_ends_with_the_schedules_steps(
    plan: DatasetPlan, training: dict[str, Any]
) -> None:
    config = make_config(training=training)
    schedule = Schedule.of(plan, config)
    lines = chain(plan, config, schedule)
    uses = sum(sample.repeats for sample in plan.training_samples)
    assert last_number(lines[0]) == uses
    limited = lines[-1].startswith("max steps")
    total = lines[-2] if limited else lines[-1]
    if limited:
        assert str(schedule.total_steps) in lines[-1]
        assert f"epoch {schedule.epochs}" in lines[-1]
    else:
        assert last_number(total) == schedule.total_steps
    free = make_config(training={**training, "max_steps": None})
    assert last_number(total) == Schedule.of(plan, free).total_steps


@settings(max_examples=80, deadline=None)
@given(PLANS, st.integers(1, 5))
def test_buckets_hold_all_uses_of_the_first_epoch(plan: DatasetPlan, batch_size: int) -> None:
    config = make_config(training={"batch_size": batch_size, "epochs": 1})
    shares = bucket_shares(plan, config)
    assert sum(share.batches for share in shares) == Schedule.of(plan, config).total_steps
    assert sum(share.pictures for share in shares) >= len(plan.training_samples)


def test_the_chain_of_a_small_set_word_by_word() -> None:
    plan = make_plan([(BUCKETS[0], 10)] * 5 + [(BUCKETS[1], 10)] * 2, [(BUCKETS[2], 1)] * 9)
    config = make_config(
        training={"batch_size": 3, "gradient_accumulation": 2, "epochs": 4, "max_steps": 50}
    )
    assert chain(plan, config, Schedule.of(plan, config)) == [
        "7 pictures x 10 repeats = 70 uses",
        "+ 70 uses of 9 regularization pictures, to match = 140 uses an epoch",
        "3 buckets -> 48 batches of 3 (3 not full)",
        "48 / 2 a step -> 24 steps",
        "24 steps an epoch x 4 epochs = 96 steps",
        "max steps ends it at 50 steps, in epoch 3",
    ]


def test_repeats_of_several_concepts_are_added_up() -> None:
    plan = make_plan([(BUCKETS[0], 20)] * 2 + [(BUCKETS[0], 10)])
    config = make_config(training={"epochs": 1})
    assert chain(plan, config, Schedule.of(plan, config))[0] == (
        "3 pictures x repeats: 2 x 20 + 1 x 10 = 50 uses"
    )


def test_targets_name_their_guides() -> None:
    plan = make_plan([(BUCKETS[0], 1)] * 20)
    found = targets(plan, make_config(training={"batch_size": 2}))
    assert [(target.name, target.steps) for target in found] == [
        ("quick", 1000),
        ("standard", 2500),
        ("thorough", 3000),
    ]
    names = [target.reason.partition(":")[0] for target in found]
    assert names == ["Haoming", "JarvisLabs", "JarvisLabs"]
    larger = make_plan([(BUCKETS[0], 1)] * 60)
    assert targets(larger)[2].steps == 9000
    assert targets(larger)[2].reason.startswith("rentry")


def test_rows_of_the_guides_show_the_exact_number() -> None:
    plan = make_plan([(BUCKETS[0], 10)] * 7)
    config = make_config(training={"batch_size": 2, "epochs": 3})
    rows = {row[0]: row for row in map(rule_row, explain(plan, config))}
    assert rows["ThinkDiffusion"][2:] == ("210 steps", "105")
    assert rows["rentry"][2:] == ("25 to 150 uses per picture", "30")


# Solving ----------------------------------------------------------------------------------------


def planned(draft: Draft) -> tuple[DatasetPlan, RunConfig]:
    config = draft.config()
    return build_plan(config, registry.find("sd1")), config


def new_draft(folder: Path, **values: Any) -> Draft:
    draft = Draft.new("face")
    draft.put("model.base", "none/none")
    draft.put("dataset.folder", str(folder))
    for key, value in values.items():
        draft.put(key.replace("__", "."), value)
    return draft


def test_taking_over_epochs_gives_what_was_promised(home: Path) -> None:
    write_pictures(home / "cats", 6)
    draft = new_draft(home / "cats", training__max_steps=5)
    solution = lengths.by_epochs(500, *planned(draft))
    assert solution.lifts_limit
    lengths.take_over(draft, solution.changes)
    plan, config = planned(draft)
    assert Schedule.of(plan, config).total_steps == solution.steps
    assert config.training.max_steps is None


def test_taking_over_repeats_of_a_flat_folder(home: Path) -> None:
    write_pictures(home / "cats", 6)
    draft = new_draft(home / "cats")
    assert lengths.option_counts(*planned(draft))
    solution = lengths.by_repeats(900, *planned(draft))
    lengths.take_over(draft, solution.changes)
    assert Schedule.of(*planned(draft)).total_steps == solution.steps
    assert draft.value("dataset.repeats") == solution.values[0][1]


def test_what_was_taken_over_is_put_back(home: Path) -> None:
    write_pictures(home / "cats", 6)
    draft = new_draft(home / "cats", training__max_steps=5)
    before = draft.text
    changes = lengths.by_epochs(500, *planned(draft)).changes
    back = lengths.take_over(draft, changes)
    assert draft.text != before
    lengths.take_over(draft, back)
    assert (draft.value("training.epochs"), draft.value("training.max_steps")) == (10, 5)


def test_folders_with_repeats_in_their_names_are_explained_and_taken_over(home: Path) -> None:
    write_pictures(home / "set" / "20_mika", 3)
    write_pictures(home / "set" / "10_hat", 3)
    draft = new_draft(home / "set")
    plan, config = planned(draft)
    assert not lengths.option_counts(plan, config)
    blocked = lengths.by_repeats(900, plan, config)
    assert "20_mika" in blocked.obstacle
    assert not blocked.changes
    lengths.take_over(draft, lengths.folders_as_concepts(draft, plan, config))
    taken, now = planned(draft)
    assert [(item.name, item.repeats) for item in taken.concepts] == [("hat", 10), ("mika", 20)]
    assert [sample.id for sample in taken.samples] == [sample.id for sample in plan.samples]
    assert Schedule.of(taken, now) == Schedule.of(plan, now)
    solution = lengths.by_repeats(900, taken, now)
    lengths.take_over(draft, solution.changes)
    after, now = planned(draft)
    assert Schedule.of(after, now).total_steps == solution.steps
    assert [item.repeats for item in after.concepts] == [count for _, count in solution.values]


def test_one_of_several_concepts_gets_repeats(home: Path) -> None:
    write_pictures(home / "set" / "20_mika", 3)
    write_pictures(home / "set" / "10_hat", 3)
    draft = new_draft(home / "set")
    lengths.take_over(draft, lengths.folders_as_concepts(draft, *planned(draft)))
    assert draft.enter(lengths.repeats_key(1), "7") is None
    plan, config = planned(draft)
    assert [item.repeats for item in lengths.concept_repeats(plan, config)] == [10, 7]
