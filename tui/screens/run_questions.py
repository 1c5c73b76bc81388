"""What is asked before a run is paused or stopped from its monitor."""

from __future__ import annotations

from ...core.run.directory import RunDirectory
from ...core.run.status import RunStatus
from ...core.run.wording import phase_in_words
from ...core.text import printable
from ..follow import label
from .ask import Ask

_PATIENCE = 10.0
"""Seconds after which a stop that was not obeyed may be followed by a kill."""


def pause(run: RunDirectory) -> Ask:
    """Ends with ``pause``, ``stop``, or nothing."""
    return Ask(
        "Pause",
        "Both finish the step and save the state: nothing is lost, and the result is the same.\n"
        f"After a stop, go on with r here, or: lora-wizard resume {label(run)}",
        [
            ("pause", "Pause: it keeps the GPU's memory, and goes on at once with p"),
            ("stop", "Stop and save: it frees the GPU; going on loads the model again"),
            ("", "Train on"),
        ],
    )


def stop(run: RunDirectory, status: RunStatus | None, waited: float) -> Ask:
    """Ends with ``stop``, ``kill``, or nothing. ``waited``: seconds since a stop was asked for."""
    later = f"Go on later with r here, or: lora-wizard resume {label(run)}"
    if waited < _PATIENCE and not (status and status.step):
        return Ask(
            "Stop",
            f"No step is done yet: there is nothing to save, and it ends soon. {later}",
            [("stop", "Stop"), ("", "Train on")],
        )
    if waited < _PATIENCE:
        return Ask(
            "Stop and save",
            "The step is finished, then a file and the state are saved, and the GPU is "
            f"free. {later}",
            [("stop", "Stop and save"), ("", "Train on")],
        )
    phase = printable(phase_in_words(status.phase)) if status else ""
    doing = f" It is still {phase}." if phase not in ("", "training") else ""
    return Ask(
        f"A stop was asked for {waited:.0f} seconds ago",
        f"It is obeyed when the step, or what is being prepared, is done.{doing} A kill ends it "
        "at once: what was done since the last saved state is lost, finished files are not.",
        [("", "Wait on"), ("kill", "Kill it")],
    )
