"""What is said of how well a run learned, where that is measured."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Event

from ...core.errors import WizardError
from ...core.run import measure
from ...core.run.directory import RunDirectory

_REST = 0.25
UNDER_WAY = "What it learned is being measured; that takes a minute at most ..."


def sentences(run: RunDirectory) -> str:
    """What was measured, or that it is being measured; empty where there is nothing to say. Not
    yet safe to show."""
    if found := measure.measurement(run):
        return " ".join(found.words)
    return UNDER_WAY if measure.is_going_on(run) else ""


def follow(run: RunDirectory, left: Event) -> Iterator[str]:
    """The same, as it changes; begins to measure a finished run that has not been. For a thread;
    ends when all is said or ``left`` is set."""
    if found := measure.measurement(run):
        yield " ".join(found.words)
        return
    try:
        begun = measure.begin(run)
        if begun is None and not measure.is_going_on(run):
            return
        yield UNDER_WAY
        while measure.is_going_on(run):
            if left.wait(_REST):
                return
        if begun is not None:
            begun.wait()
    except WizardError as error:
        yield f"What it learned could not be measured: {error.title}."
        return
    yield sentences(run) or f"What it learned could not be measured; why is in {run.log_path}."
