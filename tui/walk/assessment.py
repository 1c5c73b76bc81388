"""What is known of a draft: pictures, steps, problems, sizes. Computed in a thread, shown live."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ...core.config import RunConfig
from ...core.errors import Problem, WizardError
from .draft import Snapshot

# What looks is imported when it looks, in its thread: Home is painted without it.
if TYPE_CHECKING:
    from ...core.dataset.images import Progress
    from ...core.dataset.plan import DatasetPlan
    from ...core.estimates import Estimate
    from ...core.preflight_base import BaseFindings
    from ...core.schedule import Schedule


@dataclass(frozen=True)
class Assessment:
    """A draft as far as it can be judged. None where it cannot yet."""

    snapshot: Snapshot
    config: RunConfig | None
    """Defaults stand in for what is missing or wrong."""
    problems: tuple[Problem, ...]
    """The gravest first."""
    plan: DatasetPlan | None = None
    schedule: Schedule | None = None
    base: BaseFindings | None = None
    bytes_written: int | None = None
    file_bytes: int | None = None
    estimate: Estimate | None = None

    @property
    def errors(self) -> list[Problem]:
        return [problem for problem in self.problems if problem.severity == "error"]


@dataclass
class Assessor:
    """Assesses drafts and remembers what it found of base models, so that the hub is asked once."""

    _bases: dict[str, BaseFindings] = field(default_factory=dict)

    def assess(self, snapshot: Snapshot, progress: Progress | None = None) -> Assessment:
        """Look at everything; takes as long as reading the headers of new pictures. What
        ``progress`` raises ends it."""
        from ...core import preflight
        from ...core.estimates import estimate_here

        read = snapshot.read()
        if read.config is None:
            return Assessment(snapshot, None, tuple(read.problems))
        base = self._base(read.config, known="model.base" not in read.broken)
        found = preflight.inspect(read.config, progress=progress, base=base)
        told = None
        if found.spec:
            told = estimate_here(
                read.config, found.spec, plan=found.plan, schedule=found.schedule, base=base
            )
        # What a default that stands in for something broken has to say is not worth reading.
        rest = [problem for problem in found.problems if problem.where not in read.broken]
        return Assessment(
            snapshot,
            read.config,
            tuple(preflight.by_gravity([*read.problems, *rest])),
            found.plan,
            found.schedule,
            base,
            found.bytes_written,
            found.file_bytes,
            told,
        )

    def forget_bases(self) -> None:
        """Look again, after a download or a new token; at the GPU's free memory too."""
        from ...core.hardware import hardware

        self._bases.clear()
        hardware.cache_clear()

    def _base(self, config: RunConfig, *, known: bool) -> BaseFindings:
        from ...core.families import registry as families
        from ...core.preflight_base import BaseFindings, inspect_base

        if not known:
            return BaseFindings()
        # Precision alone says nothing of the base.
        key = config.model.model_dump_json(exclude={"precision"})
        if key not in self._bases:
            try:
                spec = families.find(config.model.family)
            except WizardError:
                return BaseFindings()
            self._bases[key] = inspect_base(config, spec)
        return self._bases[key]
