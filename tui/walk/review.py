"""Before the start: the full check, what stands in the way, and what else this machine does."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ...core import preflight
from ...core.config import RunConfig, configfile, values
from ...core.config.config_problems import options
from ...core.config.paths import resolve_path
from ...core.dataset.images import Progress
from ...core.errors import Mend, Problem, WizardError
from ...core.preflight_base import BaseFindings
from ...core.run import control
from ...core.run.directory import RunDirectory, known_runs
from ...core.run.status import summary
from . import start_limits, steps
from .draft import Draft, Snapshot


def full_check(
    snapshot: Snapshot, base: BaseFindings | None, progress: Progress | None = None
) -> tuple[Problem, ...]:
    """All that is wrong or worth knowing, every picture decoded, the gravest first."""
    read = snapshot.read()
    if read.config is None:
        return tuple(read.problems)
    found = preflight.inspect(read.config, decode=True, progress=progress, base=base)
    rest = [problem for problem in found.problems if problem.where not in read.broken]
    return tuple(preflight.by_gravity([*read.problems, *rest]))


_OF_ONE_FOLDER = ("dataset.folder", "dataset.repeats")


def difference_lines(draft: Draft) -> list[tuple[str, str, str]]:
    """(label, preset's value, value now) of what differs, as text."""
    # Once several folders are listed, each has its own, and these say nothing.
    passed_over = _OF_ONE_FOLDER if draft.value("dataset.concepts") else ()
    return [
        (info.label, values.as_text(info, before) or "-", draft.shown(info.key) or "-")
        for info, before, _ in draft.differences()
        if info.key not in passed_over or draft.value(info.key) not in ("", 1)
    ]


def problem_line(problem: Problem) -> str:
    """A problem with the step in which it is mended."""
    step = steps.step_of(problem.where)
    place = f"{step.title}: " if step is not steps.STEPS[-1] else ""
    info = options().get(problem.where)
    is_section = problem.where in RunConfig.model_fields
    name = info.label if info else "" if is_section else problem.where
    # Some say it of the option ("is required"), others in a sentence of their own.
    goes_on = problem.message[:1].islower() and not problem.message.startswith("there ")
    between = " " if goes_on else ": "
    where = f"{name}{between}" if name else ""
    return f"{place}{where}{problem.words}"


def ways_out(problem: Problem, others: Sequence[Problem]) -> Sequence[Mend]:
    """What would mend a problem; of pictures that cannot be used, the last one's is for all."""
    if not problem.where.startswith("/"):
        return problem.mends
    of_pictures = [item.mends for item in others if item.where.startswith("/") and item.mends]
    return problem.mends or (of_pictures[-1] if of_pictures else ())


def unknown_key(problem: Problem) -> str:
    """The key or section of the TOML that no option knows; empty for any other problem."""
    where = problem.where
    known = where in options() or "[" in where or where in RunConfig.model_fields
    is_unknown = problem.message.startswith("there is no such") and not known
    return where if is_unknown and where.count(".") < 2 else ""


def toml_path(draft: Draft) -> Path:
    """Where the TOML is, or would be put without overwriting anybody's."""
    if draft.source is not None:
        return draft.source
    number = 1
    while True:
        suffix = "" if number == 1 else f"-{number}"
        path = draft.folder / f"{draft.name}{suffix}.toml"
        # Unlike Path.exists, this is no error for a name that is too long.
        if not os.path.lexists(path):
            return path
        number += 1


def destination(text: str) -> Path:
    """Where a TOML goes whose path a person has typed. Raises WizardError when nothing can be
    there."""
    try:
        path = Path(resolve_path(text, Path.cwd()))
    except WizardError as error:
        raise WizardError("This is no path for a TOML", error.title, error.remedy) from error
    if os.path.isdir(path):  # noqa: PTH112 (as above)
        raise WizardError(f"{path} is a folder", "", "Name a file in it.")
    return path if path.suffix else path.with_name(f"{path.name}.toml")


def command(draft: Draft) -> str:
    """What runs the same without the wizard."""
    limits = start_limits.arguments(draft)
    return f"lora-wizard train {shlex.quote(str(toml_path(draft)))}{limits}"


def is_saved(draft: Draft) -> bool:
    """Whether the TOML on the disk says what the draft says."""
    if draft.source is None:
        return False
    try:
        return configfile.toml_source.read(draft.source) == draft.text
    except WizardError:
        return False


@dataclass(frozen=True)
class Neighbours:
    """What the person ought to know of other runs before starting one."""

    live: list[str] = field(default_factory=list)
    """Names of runs that are going on."""
    unfinished: RunDirectory | None = None
    """A run of the same name that ended before its end."""
    unfinished_words: str = ""
    logout: str = ""
    """A warning when logging out would end the run; empty otherwise."""

    @property
    def warnings(self) -> list[str]:
        found = [f"! Run {name} is going on and shares this machine." for name in self.live]
        if self.unfinished:
            found.append(f"! {self.unfinished_words}")
        return [*found, f"! {self.logout}"] if self.logout else found


def neighbours(config: RunConfig) -> Neighbours:
    """Look at the runs of this machine; takes as long as reading their events."""
    live: list[str] = []
    unfinished, words = None, ""
    for run in known_runs():
        try:
            state = summary(run) if _is_like(run, config) else None
            if run.is_live():
                live.append(run.name)
            elif state and not unfinished and state.state in ("stopped", "failed", "killed"):
                unfinished = run
                words = f"Run {run.name} was {_WORDS[state.state]} at step {state.step:,}."
        except WizardError:
            continue
    return Neighbours(live, unfinished, words, control.killed_at_logout())


_WORDS = {"stopped": "stopped", "failed": "broken off by an error", "killed": "killed"}


def _is_like(run: RunDirectory, config: RunConfig) -> bool:
    stem = run.name.removeprefix(config.output.name)
    same = not stem or (stem.startswith("-") and stem[1:].isdecimal())
    return (
        run.name.startswith(config.output.name)
        and same
        and run.path.parent == Path(config.output.folder)
    )


def new_run(toml: Path) -> RunDirectory:
    """A run of what stands in ``toml``, not started yet. Raises WizardError."""
    config = configfile.load(toml)
    return RunDirectory.create(config, command=["lora-wizard", "train", str(toml)])
