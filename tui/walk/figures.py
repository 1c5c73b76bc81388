"""The numbers of a draft as a person reads them, each with what is behind it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ...core.errors import WizardError
from ...core.estimates.figures import Figure
from ...core.places import existing, free_bytes, size_text
from ...core.sampling.prompts import expand
from .assessment import Assessment

UNKNOWN = "unknown yet"
_NAMED = 5
_NO_PICTURES = "Once the pictures are known."
_NO_BASE = "Once pictures and base model are known."


@dataclass(frozen=True)
class Reading:
    """One number: what it is, how much, and where it comes from."""

    label: str
    value: str
    behind: str = ""


def file_reading(known: Assessment | None) -> Reading:
    """How large one LoRA file gets."""
    return _reading("File", known and known.estimate and known.estimate.file, _NO_BASE)


def time_reading(known: Assessment | None) -> Reading:
    """How long the run takes."""
    time = known and known.estimate and known.estimate.time
    if known and known.schedule and not time:
        why = "Nothing like it has run on this machine; a rehearsal before the start tells, too."
        return Reading("Time", "known after a minute of training", why)
    return _reading("Time", time, _NO_PICTURES)


def memory_reading(known: Assessment | None) -> Reading:
    """What the run needs of the GPU, and whether it has that."""
    estimate = known.estimate if known else None
    found = _reading("VRAM", estimate and estimate.memory, "Once the family is known.")
    if estimate and estimate.memory:
        if estimate.fit:
            return Reading("VRAM", found.value, f"{estimate.fit.words}; {found.behind}")
        behind = f"None is here to compare with; {found.behind}"
        return Reading("VRAM", f"{found.value} on a GPU", behind)
    return found


def cost_reading(known: Assessment | None, price: str) -> Reading | None:
    """What the run costs; None without a price."""
    estimate = known.estimate if known else None
    costs = estimate.cost(price) if estimate else None
    return Reading("Cost", costs.text, f"{costs.basis}.") if costs else None


def steps_reading(known: Assessment | None) -> Reading:
    """How many steps the run has."""
    schedule = known.schedule if known else None
    if schedule is None:
        return Reading("Steps", UNKNOWN, _NO_PICTURES)
    epochs = _count(schedule.epochs, "epoch")
    each = schedule.steps_of_epochs[0]
    return Reading("Steps", f"{schedule.total_steps:,}", f"{epochs}, the first of {each:,} steps.")


def disk_reading(known: Assessment | None) -> Reading:
    """What the run writes, and the room there is."""
    found = _reading("Disk", known and known.estimate and known.estimate.disk, _NO_BASE)
    if known is None or known.config is None or found.value == UNKNOWN:
        return found
    there = existing(Path(known.config.output.folder))
    room = free_bytes(there)
    free = f" {size_text(room)} are free in {there}." if room is not None else ""
    return Reading(found.label, found.value, found.behind + free)


def pictures_reading(known: Assessment | None) -> Reading:
    """How many pictures are drawn on the way."""
    if known is None or known.config is None or known.schedule is None:
        return Reading("Pictures", UNKNOWN, _NO_PICTURES)
    try:
        prompts = expand(known.config, (512, 512))
    except WizardError:
        return Reading("Pictures", UNKNOWN, "Once the prompts can be drawn.")
    times = len(known.schedule.sample_steps())
    if not prompts or not times:
        return Reading("Pictures", "none", "Nothing is drawn on the way.")
    steps = times * sum(prompt.steps for prompt in prompts)
    behind = f"{_count(len(prompts), 'prompt')} x {_count(times, 'time')}, "
    behind += f"{steps:,} denoising steps in all; the time includes them."
    return Reading("Pictures", f"{len(prompts) * times:,}", behind)


def files_reading(known: Assessment | None) -> Reading:
    """The files that will appear."""
    if known is None or known.config is None or known.schedule is None:
        return Reading("Files", UNKNOWN, _NO_PICTURES)
    output = known.config.output
    points = known.schedule.save_steps()
    names = [f"{output.name}{point.suffix}.safetensors" for point in points]
    kept = min(len(names), output.keep_last + 1) if output.keep_last else len(names)
    named = names if len(names) <= _NAMED else [*names[: _NAMED - 2], "...", names[-1]]
    behind = "\n".join(named)
    if kept < len(names):
        behind += f"\nThe last {kept} of {len(names)} stay."
    return Reading("Files", str(kept), behind)


def folder_reading(known: Assessment | None) -> Reading:
    """Which folder the run gets."""
    if known is None or known.config is None:
        return Reading("Folder", UNKNOWN)
    output = known.config.output
    folder = Path(output.folder) / output.name
    there = existing(folder) == folder
    behind = "There is one already: this run gets a number behind it." if there else ""
    return Reading("Folder", str(folder), behind)


def _reading(label: str, figure: Figure | None, missing: str) -> Reading:
    if figure is None:
        return Reading(label, UNKNOWN, missing)
    basis = figure.basis[:1].upper() + figure.basis[1:]
    return Reading(label, figure.text, f"{basis}." if basis and basis[-1] not in ".!" else basis)


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}{'' if number == 1 else 's'}"
