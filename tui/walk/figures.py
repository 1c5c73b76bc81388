"""The numbers of a draft as a person reads them, each with what is behind it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ...core.errors import WizardError
from ...core.places import existing, free_bytes, size_text
from ...core.sampling.prompts import expand
from .assessment import Assessment

UNKNOWN = "unknown yet"
_NAMED = 5


@dataclass(frozen=True)
class Figure:
    """One number: what it is, how much, and where it comes from."""

    label: str
    value: str
    behind: str = ""


def file_figure(known: Assessment | None) -> Figure:
    """How large one LoRA file gets."""
    if known is None or known.config is None or known.file_bytes is None or known.base is None:
        return Figure("File", UNKNOWN, "Once the base model is known.")
    config = known.config
    precision = config.output.save_precision or config.model.precision
    behind = (
        f"rank {config.network.rank} x {known.base.lora_values_per_rank:,} numbers, "
        f"each {4 if precision == 'fp32' else 2} bytes ({precision})."
    )
    return Figure("File", size_text(known.file_bytes), behind)


def steps_figure(known: Assessment | None) -> Figure:
    """How many steps the run has."""
    schedule = known.schedule if known else None
    if schedule is None:
        return Figure("Steps", UNKNOWN, "Once the pictures are known.")
    each = schedule.steps_of_epochs[0]
    behind = f"{schedule.epochs} epochs, the first of {each:,} steps."
    return Figure("Steps", f"{schedule.total_steps:,}", behind)


def disk_figure(known: Assessment | None) -> Figure:
    """What the run writes, and the room there is."""
    if known is None or known.config is None or known.bytes_written is None:
        return Figure("Disk", UNKNOWN, "Once pictures and base model are known.")
    there = existing(Path(known.config.output.folder))
    room = free_bytes(there)
    behind = "At most: files that are kept, the state to resume from, samples."
    behind += f" {size_text(room)} are free in {there}." if room is not None else ""
    return Figure("Disk", f"about {size_text(known.bytes_written)}", behind)


def drawn_pictures(known: Assessment | None) -> tuple[int, int, int] | None:
    """(prompts, times, denoising steps in all) of the pictures drawn on the way."""
    if known is None or known.config is None or known.schedule is None:
        return None
    try:
        prompts = expand(known.config.samples, (512, 512))
    except WizardError:
        return None
    times = len(known.schedule.sample_steps())
    return len(prompts), times, times * sum(prompt.steps for prompt in prompts)


def pictures_figure(known: Assessment | None) -> Figure:
    """How many pictures are drawn on the way."""
    drawn = drawn_pictures(known)
    if drawn is None:
        return Figure("Pictures", UNKNOWN, "Once the pictures to learn from are known.")
    prompts, times, steps = drawn
    if not prompts or not times:
        return Figure("Pictures", "none", "Nothing is drawn on the way.")
    behind = f"{_count(prompts, 'prompt')} x {_count(times, 'time')}, {steps:,} denoising steps."
    return Figure("Pictures", f"{prompts * times:,}", behind)


def files_figure(known: Assessment | None) -> Figure:
    """The files that will appear."""
    if known is None or known.config is None or known.schedule is None:
        return Figure("Files", UNKNOWN, "Once the pictures are known.")
    output = known.config.output
    points = known.schedule.save_steps()
    names = [f"{output.name}{point.suffix}.safetensors" for point in points]
    kept = min(len(names), output.keep_last + 1) if output.keep_last else len(names)
    named = names if len(names) <= _NAMED else [*names[: _NAMED - 2], "...", names[-1]]
    behind = "\n".join(named)
    if kept < len(names):
        behind += f"\nThe last {kept} of {len(names)} stay."
    return Figure("Files", str(kept), behind)


def folder_figure(known: Assessment | None) -> Figure:
    """Which folder the run gets."""
    if known is None or known.config is None:
        return Figure("Folder", UNKNOWN)
    output = known.config.output
    folder = Path(output.folder) / output.name
    behind = "There is one already: this run gets a number behind it." if folder.exists() else ""
    return Figure("Folder", str(folder), behind)


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}{'' if number == 1 else 's'}"
