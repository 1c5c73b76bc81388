"""What a rehearsal found, in sentences."""

from __future__ import annotations

from ..config import RunConfig
from ..errors import Mend, Problem
from ..estimates.figures import duration_text
from ..places import size_text
from .measured import Measured


def sentences(measured: Measured) -> list[str]:
    """The figures, for people."""
    said = [
        f"A step at {measured.bucket}, batch {measured.batch_size}: {_time(measured.per_step)}."
    ]
    if measured.memory:
        there = f" of {size_text(measured.memory_there)}" if measured.memory_there else ""
        said.append(f"Training takes {size_text(measured.memory)}{there} of the GPU's memory.")
    if measured.per_drawing is not None:
        said.append(f"A sample picture: {_time(measured.per_drawing)}.")
    said.append(f"A save: {_time(measured.per_save)}.")
    if measured.largest_batch:
        more = " or more" if measured.largest_is_bound else ""
        said.append(f"The largest batch that fits: {measured.largest_batch}{more}.")
    return said


def problems(measured: Measured, config: RunConfig) -> list[Problem]:
    """What the rehearsal shows to be wrong with ``config``."""
    found: list[Problem] = []
    if not measured.fits:
        fits = measured.largest_batch or measured.portion
        accumulation = config.training.gradient_accumulation * measured.batch_size
        mends: tuple[Mend, ...] = ()
        if fits and accumulation % fits == 0:
            values = {
                "training.batch_size": fits,
                "training.gradient_accumulation": accumulation // fits,
            }
            mends = (Mend(f"{fits} at once, the same steps", values),)
        found.append(
            Problem(
                f"{measured.batch_size} pictures at once do not fit into the GPU's memory, "
                f"{fits} do: the run would go on with {measured.portion} at once",
                "training.batch_size",
                remedy="Set it lower, or training.gradient_checkpointing = true.",
                severity="warning",
                mends=mends,
            )
        )
    if config.sample_prompts() and measured.per_drawing is None:
        found.append(
            Problem(
                "the GPU's memory is too small to draw the samples",
                "samples.width",
                remedy="Smaller pictures need less: samples.width and samples.height.",
                severity="warning",
            )
        )
    return found


def _time(seconds: float) -> str:
    return f"{seconds:.2g} s" if seconds < 10 else duration_text(seconds)
