"""An estimate with what this machine knows: its GPU, its earlier runs."""

from __future__ import annotations

from ..config import RunConfig
from ..dataset.plan import DatasetPlan
from ..families.base import FamilySpec
from ..hardware import gpus
from ..preflight_base import BaseFindings
from ..schedule import Schedule
from .estimate import Estimate, estimate
from .past_runs import past_runs


def estimate_here(
    config: RunConfig,
    spec: FamilySpec,
    *,
    plan: DatasetPlan | None = None,
    schedule: Schedule | None = None,
    base: BaseFindings | None = None,
) -> Estimate:
    """What a run would take on this machine. The first call asks for the GPUs, which takes a
    moment; none raises."""
    return estimate(
        config,
        spec,
        plan=plan,
        schedule=schedule,
        base=base,
        gpu=next(iter(gpus()), None),
        history=past_runs(),
    )
