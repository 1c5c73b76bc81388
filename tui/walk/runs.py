"""The runs of this machine as Home tells of them: their state in a glyph and a word, how far they
are, and what can be done with each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from ...core.errors import WizardError
from ...core.run.directory import RunDirectory, known_runs
from ...core.run.events import EventReader, decode, in_sentences
from ...core.run.status import RunStatus, State, Tracker
from ...core.run.wording import phase_in_words

STATES: dict[str, tuple[str, str]] = {
    "live": ("►", "running"),
    "finished": ("✓", "finished"),
    "stopped": ("■", "stopped"),
    "failed": ("✗", "failed"),
    "killed": ("!", "killed"),
    "new": ("·", "not started"),
    "unreadable": ("?", "unreadable"),
}
"""State -> (glyph, word)."""

_ACTIONS: dict[str, tuple[str, ...]] = {
    "live": ("watch", "results", "stop"),
    "finished": ("results", "watch"),
    "stopped": ("resume", "results", "watch"),
    "failed": ("resume", "results", "watch"),
    "killed": ("resume", "results", "watch"),
    "new": ("resume", "watch"),
    "unreadable": (),
}


@dataclass(frozen=True)
class RunEntry:
    """One run in the list. The figures are None until its events were read."""

    run: RunDirectory
    state: State | str
    created: float
    status: RunStatus | None = None
    problem: str = ""
    """Why it failed, or why it cannot be read; not yet safe to show."""

    @property
    def actions(self) -> tuple[str, ...]:
        """What can be done with it, the obvious one first: ``watch``, ``results``, ``resume``,
        ``stop``."""
        actions = _ACTIONS[self.state]
        if self.status and not self.status.resume_helps:
            # Its remedy says what comes first.
            return (*(name for name in actions if name != "resume"), "resume")
        return actions

    @property
    def word(self) -> str:
        """Its state in a word."""
        if self.state == "live" and self.status and self.status.stopping:
            return "stopping"
        return STATES[self.state][1]

    @property
    def progress(self) -> str:
        """How far it is: the steps, or what a running one does before the first; empty while
        unknown."""
        status = self.status
        if not status:
            return ""
        if status.total:
            return f"{status.step:,}/{status.total:,}"
        return phase_in_words(status.phase) if self.state == "live" else ""


@dataclass
class RunBook:
    """Reads runs, and of each only what was written since the last time. For one thread."""

    _read: dict[str, tuple[EventReader, Tracker]] = field(default_factory=dict)

    def glance(self) -> list[RunEntry]:
        """All runs without their figures, at once: those that are going on first, then the last
        started first."""
        found = [_entry(run) for run in known_runs()]
        return sorted(found, key=lambda entry: entry.state != "live")

    def read(self, entries: list[RunEntry]) -> Iterator[RunEntry]:
        """The same with their figures, one after the other; 100,000 new events take a second."""
        for entry in entries:
            yield entry if entry.state == "unreadable" else self._with_figures(entry)

    def _with_figures(self, entry: RunEntry) -> RunEntry:
        key = str(entry.run.path)
        if key not in self._read:
            self._read[key] = EventReader(entry.run.events_path), Tracker()
        reader, tracker = self._read[key]
        for line in reader.lines():
            if (event := decode(line)) is not None:
                tracker.add(event)
        try:
            status = tracker.status(entry.run)
        except WizardError as error:
            return _unreadable(entry.run, error)
        return replace(entry, state=status.state, status=status)


def _entry(run: RunDirectory) -> RunEntry:
    try:
        record, live = run.record(), run.is_live()
    except WizardError as error:
        return _unreadable(run, error)
    error = record.error or {}
    problem = in_sentences(error.get("title"), error.get("message"), error.get("remedy"))
    return RunEntry(run, _state(record.outcome, live), record.created, problem=problem)


def _state(outcome: str, live: bool) -> str:
    if live:
        return "live"
    words = {"created": "new", "running": "killed"}
    state = words.get(outcome, outcome)
    return state if state in STATES else "unreadable"


def _unreadable(run: RunDirectory, error: WizardError) -> RunEntry:
    return RunEntry(run, "unreadable", 0.0, problem=in_sentences(error.title, error.message))
