"""Aiming at a number of steps: a guide's or one's own, by epochs or by repeats."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Input, Static

from ..walk.arithmetic import Target
from ..walk.lengths import Solution
from .lines import say
from .text import SafeInput, shown

_MOST_STEPS = 10_000_000
_WAYS = {"epochs": "F5", "repeats": "F6"}
KEYS = ("F2", "F3", "F4")
"""Of the targets, in their order."""


class Aim(Vertical):
    """The wished number of steps, and what each way to it would give. Enter takes the better one
    over and goes on to the next field."""

    DEFAULT_CSS = """
    Aim { height: auto; }
    Aim Horizontal { height: 1; }
    Aim .aim-label { width: auto; padding: 0 1 0 0; }
    Aim SafeInput { width: 10; }
    Aim .aim-targets { width: 1fr; padding: 0 0 0 1; }
    Aim .aim-ways { height: auto; }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._targets: list[Target] = []

    def compose(self) -> ComposeResult:
        with Horizontal():
            yield Static("Aim for", classes="aim-label")
            yield SafeInput("", placeholder="steps", compact=True, id="wanted-steps")
            yield Static("", classes="aim-targets", markup=False)
        yield Static("", classes="aim-ways", markup=False)

    @property
    def wanted(self) -> int | None:
        """The number of steps that is aimed at."""
        text = self.query_one(SafeInput).value.replace(",", "").strip()
        fits = text.isdecimal() and 1 <= int(text) <= _MOST_STEPS
        return int(text) if fits else None

    def take_target(self, number: int) -> None:
        """Aim at one of the targets, counted from 0."""
        if number < len(self._targets):
            self.query_one(SafeInput).value = str(self._targets[number].steps)

    def show_targets(self, targets: Sequence[Target]) -> None:
        """Show what the guides advise for these pictures."""
        self._targets = list(targets)
        said = "  ".join(
            f"{key} {target.name} {target.steps:,}"
            for key, target in zip(KEYS, targets, strict=True)
        )
        say(self.query_one(".aim-targets", Static), said)

    def show_ways(self, ways: Mapping[str, Solution], best: str, undo: str, *, done: bool) -> None:
        """Show what would be taken over by each key, the ``best`` of the ``ways`` (``epochs``,
        ``repeats``) also by enter; or that it is ``done``."""
        lines = [self._reason()]
        if done:
            lines.append(f"✓ set: {ways[best]}")
        elif best:
            other = "repeats" if best == "epochs" else "epochs"
            lines += [_way("enter", ways[best]), _way(_WAYS[other], ways[other])]
        lines += [f"F8 puts back {undo}"] if undo else []
        say(self.query_one(".aim-ways", Static), shown("\n".join(filter(None, lines))))

    def _reason(self) -> str:
        wanted = self.wanted
        if wanted is None:
            return "How long? F2, F3 or F4 sets it; or type a number of steps and press enter."
        return next((target.reason for target in self._targets if target.steps == wanted), "")

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.input.value = event.value.strip()


def _way(key: str, solution: Solution) -> str:
    if solution.obstacle:
        return f"{key} -- {solution}: F7 first"
    lifted = ", and takes max steps out" if solution.lifts_limit else ""
    return f"{key} sets {solution}{lifted}"
