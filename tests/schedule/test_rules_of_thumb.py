"""The guides' own examples, and that the reasons make up the whole difference."""

from __future__ import annotations

import re
from typing import Any

import pytest
from datasets import make_config, make_plan
from hypothesis import given, settings
from hypothesis import strategies as st
from lora_wizard.core.dataset.plan import Bucket, DatasetPlan
from lora_wizard.core.rules_of_thumb import RuleOfThumb, differences, explain
from lora_wizard.core.schedule import Schedule

SQUARE = Bucket(512, 512)
BUCKETS = [SQUARE, Bucket(448, 576), Bucket(576, 448)]
PICTURES = st.lists(st.tuples(st.sampled_from(BUCKETS), st.integers(1, 5)), min_size=1, max_size=8)
CLASSES = st.lists(st.tuples(st.sampled_from(BUCKETS), st.just(1)), max_size=20)


def rules(plan: DatasetPlan, **training: Any) -> dict[str, RuleOfThumb]:
    return {rule.source: rule for rule in explain(plan, make_config(training=training))}


def test_s0_with_its_30_pictures_10_repeats_10_cycles() -> None:
    rule = rules(make_plan([(SQUARE, 10)] * 30), epochs=10)["S0"]
    assert (rule.value, rule.exact, rule.difference_reason) == (3000, 3000, "")


def test_s1_with_its_10_pictures_at_batch_2() -> None:
    rule = rules(make_plan([(SQUARE, 1)] * 10), epochs=10, batch_size=2)["S1"]
    assert (rule.value, rule.exact, rule.unit) == (20, 20, "repeats")
    assert "1000 steps here" in rule.difference_reason


def test_s2_counts_uses_of_each_picture() -> None:
    plan = make_plan([(SQUARE, 5)] * 20)
    rule = rules(plan, epochs=10, batch_size=4)["S2"]
    assert (rule.value, rule.upper, rule.exact) == (25, 150, 50)
    assert rules(plan, epochs=10, batch_size=4, max_steps=125)["S2"].exact == 25


def test_s4_ignores_batch_and_regularization() -> None:
    plan = make_plan([(SQUARE, 20)] * 30, [(SQUARE, 1)] * 600)
    rule = rules(plan, epochs=4, batch_size=2)["S4"]
    assert (rule.value, rule.exact) == (2400, 2400)
    assert "(-1,200)" in rule.difference_reason
    assert "regularization pictures are trained as well (+1,200)" in rule.difference_reason


@settings(max_examples=60, deadline=None)
@given(
    st.builds(make_plan, PICTURES, CLASSES),
    st.fixed_dictionaries(
        {
            "epochs": st.integers(1, 5),
            "batch_size": st.integers(1, 5),
            "gradient_accumulation": st.integers(1, 4),
            "max_steps": st.none() | st.integers(1, 30),
        }
    ),
    st.integers(1, 2),
)
def test_the_reasons_add_up_to_the_exact_number(
    plan: DatasetPlan, training: dict[str, Any], processes: int
) -> None:
    config = make_config(training=training)
    uses = sum(sample.repeats for sample in plan.training_samples)
    reasons = differences(plan, config, processes)
    total = Schedule.of(plan, config, processes).total_steps
    assert uses * training["epochs"] + sum(item.steps for item in reasons) == pytest.approx(total)
    for rule in explain(plan, config, processes):
        if rule.unit == "steps" and rule.source != "S3":
            stated = re.findall(r"\(([+-][\d,.]+)\)", rule.difference_reason)
            parts = [float(text.replace(",", "")) for text in stated]
            assert rule.value + sum(parts) == pytest.approx(rule.exact, abs=0.06 * 5)
