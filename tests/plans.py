"""Plans of folders, and what is said of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from datasets import SPEC, make_config
from lora_wizard.core.dataset.build import build_plan
from lora_wizard.core.dataset.plan import DatasetPlan
from lora_wizard.core.errors import Problem, ProblemsError


def plan_of(
    folder: Path | None, captions: dict[str, Any] | None = None, **dataset: Any
) -> DatasetPlan:
    dataset["folder"] = str(folder or "")
    return build_plan(make_config(dataset=dataset, captions=captions or {}), SPEC)


def errors_of(folder: Path, **dataset: Any) -> list[Problem]:
    with pytest.raises(ProblemsError) as caught:
        plan_of(folder, **dataset)
    return caught.value.problems


def said(plan: DatasetPlan, severity: str = "warning") -> str:
    texts = [item.message + item.remedy for item in plan.problems if item.severity == severity]
    return "\n".join(texts)


def found(plan: DatasetPlan) -> dict[str, tuple[int, int]]:
    return {item.name: (item.images, item.repeats) for item in plan.concepts}
