"""All predicted figures of a run together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..config import RunConfig
from ..dataset.plan import DatasetPlan
from ..families.base import FamilySpec
from ..hardware import Gpu
from ..places import size_text
from ..preflight_base import BaseFindings
from ..schedule import Schedule
from . import memory, sizes
from .duration import duration
from .figures import Figure, cost, parse_price
from .past_runs import PastRun

UNKNOWN_TIME = "unknown: the first minute of training tells"


@dataclass(frozen=True)
class Estimate:
    """What a run will take. None where nothing tells it."""

    file: Figure | None
    """Bytes of one LoRA file."""
    disk: Figure | None
    """Bytes that the whole run writes, at most."""
    memory: Figure | None
    """Bytes of the GPU's memory at the highest."""
    fit: memory.Fit | None
    """How that fits on the GPU; None without one."""
    time: Figure | None
    """Seconds from the start to the finished file."""

    def cost(self, price: str) -> Figure | None:
        """What the time costs at ``price`` an hour, as a person writes it; None when one of them is
        not known."""
        known = parse_price(price)
        return cost(self.time, known) if known and self.time else None

    def lines(self, price: str = "") -> list[tuple[str, str, str]]:
        """(name, figure, what it rests on) of all that there is to say, for people."""
        time = self.time or Figure(0, 0, UNKNOWN_TIME, "")
        found = [("Time", time.text, time.basis)]
        if costs := self.cost(price):
            found.append(("Cost", costs.text, costs.basis))
        if self.memory:
            fits = (
                self.fit.words if self.fit else "to be free on a GPU; none is here to compare with"
            )
            found.append(("GPU memory", f"{self.memory.text}: {fits}", self.memory.basis))
        for name, figure in (("Disk", self.disk), ("LoRA file", self.file)):
            if figure:
                found.append((name, figure.text, figure.basis))
        return found


def estimate(
    config: RunConfig,
    spec: FamilySpec,
    *,
    plan: DatasetPlan | None = None,
    schedule: Schedule | None = None,
    base: BaseFindings | None = None,
    gpu: Gpu | None = None,
    history: Sequence[PastRun] = (),
) -> Estimate:
    """What can be told of a run from what is known of it. ``gpu`` is the one that it will train
    on."""
    needed = memory.need(config, spec, base)
    base_is_known = base is not None and bool(base.parts)
    memory_figure = fit = None
    if needed:
        measured = memory.measured(config, spec, base, history)
        factor = measured.factor if measured else 1.0
        needed = needed.times(factor)
        memory_figure = memory.memory_figure(needed, base_is_known=base_is_known, measured=measured)
        fit = memory.fit(config, spec, base, needed, gpu, factor) if gpu else None
    disk = time = None
    if plan is not None and schedule is not None:
        disk = _disk(config, spec, plan, schedule, base)
        time = duration(config, spec, plan, schedule, base, gpu, history)
    return Estimate(_file(config, spec, base, base_is_known), disk, memory_figure, fit, time)


def _file(
    config: RunConfig, spec: FamilySpec, base: BaseFindings | None, base_is_known: bool
) -> Figure | None:
    size = sizes.file_bytes(config, spec, base)
    if not size:
        return None
    precision = config.output.save_precision or config.model.precision
    of_what = "this base" if base_is_known else "the family's usual base"
    rank = f"rank {config.network.rank}"
    if config.network.conv_rank:
        rank += f", convolutions {config.network.conv_rank},"
    if base and base.lora_ranks:
        rank = "the ranks of the LoRA to continue"
    basis = f"{rank} in {precision} on {of_what}"
    return Figure(size, size, size_text(size), basis)


def _disk(
    config: RunConfig,
    spec: FamilySpec,
    plan: DatasetPlan,
    schedule: Schedule,
    base: BaseFindings | None,
) -> Figure | None:
    run = sizes.run_bytes(config, spec, schedule, base)
    cache = sizes.cache_bytes(config, spec, plan)
    download = base.download_bytes if base else 0
    files = len(schedule.save_steps())
    parts = [f"{files:,} files, states and samples {size_text(run)}", f"cache {size_text(cache)}"]
    parts += [f"download {size_text(download)}"] if download else []
    total = run + cache + download
    return Figure(run, total, f"up to {size_text(total)}", ", ".join(parts))
