"""When a job ends by itself, and what follows: limits of one start, not of a LoRA, so no TOML holds
them.

Whoever starts a job gives them to its process, and to no other: of several who start one at the
same moment, the job has the limits of the one who got it.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from dataclasses import asdict, dataclass, field
from typing import Any

_VARIABLE = "LORA_WIZARD_LIMITS"
_FIRST_RESERVE = 30.0
"""Seconds that are kept for the last step and its save while nothing is known of them."""
_MARGIN = 5.0
_SAVE_PER_STATE = 1.5
"""A save is the state and the file, which is the smaller of the two."""


@dataclass(frozen=True)
class Limits:
    """Of one start of a job."""

    ends_at: float | None = None
    """Seconds since 1970 at which everything must be on the disk."""
    because: str = ""
    """Which limit that is, for people: ``2 h are over``."""
    then: str = ""
    """A shell command for when the run has finished, failed or reached its limit."""

    def told(self) -> dict[str, Any]:
        """Those there are, for the event ``started``."""
        return {name: value for name, value in asdict(self).items() if value}

    @property
    def environment(self) -> dict[str, str]:
        """What the process of the job that is about to be started finds beside its environment."""
        return {_VARIABLE: json.dumps(asdict(self))}

    @classmethod
    def take(cls) -> Limits:
        """Those of this process, if it was given any; what it starts itself has none of them."""
        given = os.environ.pop(_VARIABLE, "")
        with contextlib.suppress(ValueError, TypeError):
            return cls(**json.loads(given))
        return cls()


@dataclass
class Deadline:
    """Says when a job has to stop so that its last step and save are done in time."""

    limits: Limits
    _at: float = 0.0
    _phase: str = ""
    _longest: dict[str, float] = field(default_factory=dict)
    _expected: dict[str, float] = field(default_factory=dict)
    _steps: int = 0
    _has_begun: bool = False

    def hear(self, kind: str, fields: dict[str, Any], now: float | None = None) -> None:
        """Take the time of steps and saves from a job's own events."""
        if kind not in ("step", "phase"):
            # Such as "saved", of which a save has one in its middle.
            return
        now = time.monotonic() if now is None else now
        if kind == "step" and self._phase == "train":
            self._steps += 1
            if self._steps == 2:
                # The first one warms up; it counts only until there is another.
                self._longest.pop("step", None)
            self._note("step", now)
        if kind == "phase":
            if self._phase == "save":
                self._note("save", now)
            self._phase = str(fields.get("phase", ""))
            self._has_begun = self._has_begun or self._phase == "train"
        self._at = now

    def expect(self, *, step: float | None = None, save: float | None = None) -> None:
        """Seconds that a step and a save took elsewhere: they count until they are measured."""
        for what, seconds in (("step", step), ("save", save)):
            if seconds is not None:
                self._expected[what] = seconds

    @property
    def save_is_unknown(self) -> bool:
        """Whether there is a limit, and nothing tells how long a save takes."""
        known = {*self._longest, *self._expected}
        return self.limits.ends_at is not None and "save" not in known

    def wrote_state(self, seconds: float) -> None:
        """Take the time of the state alone, of which a save is more."""
        known = self._expected.get("save", 0.0)
        self._expected["save"] = max(known, _SAVE_PER_STATE * seconds)

    def is_near(self, now: float | None = None) -> bool:
        """Whether one step more would be too much."""
        if self.limits.ends_at is None:
            return False
        now = time.time() if now is None else now
        return now + self.reserve >= self.limits.ends_at

    @property
    def reserve(self) -> float:
        """Seconds that the last step and its save may take: twice what the longest took."""
        if not self._has_begun:
            # There is nothing to be saved yet.
            return _MARGIN
        known = {**self._expected, **self._longest}
        if "step" not in known:
            return _FIRST_RESERVE
        return 2 * (known["step"] + known.get("save", _FIRST_RESERVE / 2)) + _MARGIN

    def _note(self, what: str, now: float) -> None:
        self._longest[what] = max(self._longest.get(what, 0.0), now - self._at)
