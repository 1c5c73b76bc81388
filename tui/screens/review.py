"""The step `review`: all of it once more, and the start."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Button, Input, OptionList, Static
from textual.widgets.option_list import Option
from textual.worker import get_current_worker

from ...core.errors import Mend, Problem
from ...core.estimates.figures import parse_price
from ..walk import review, start_limits
from ..walk.assessment import Assessment
from ..walk.dataset import mend
from ..walk.draft import Snapshot
from ..walk.figures import (
    cost_reading,
    disk_reading,
    file_reading,
    memory_reading,
    steps_reading,
    time_reading,
)
from ..walk.progress import StepState
from ..widgets.fields import SIGNS
from ..widgets.figures import Figures
from ..widgets.text import SafeInput, shown
from ..widgets.toml_view import TomlView
from .limits import LimitsScreen
from .mend import go_to, refuse
from .rehearsal import RehearsalScreen
from .start import ask_to_start
from .step import StepScreen

_SHOW_EVERY = 0.25
"""Seconds between two words on the progress of the check."""
_REHEARSE = "F7 rehearses it first"


class ReviewScreen(StepScreen):
    """See `tui.walk.steps`."""

    name_of_step: ClassVar[str] = "review"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+n", "next", "Start"),
        Binding("f2", "save_as", "Save as", show=False),
        Binding("f3", "copy", "Copy", show=False, tooltip="Copy the command"),
        Binding("f4", "differences", "Difference"),
        Binding("f5", "check", "Check again", show=False),
        Binding("f6", "limits", "Let it end by itself", show=False),
        Binding("f7", "rehearse", "Rehearse it: one real step", show=False),
    ]
    DEFAULT_CSS = """
    ReviewScreen FieldHelp { display: none; }
    ReviewScreen #found { height: auto; max-height: 8; border: none; padding: 0 1; }
    ReviewScreen #checked { height: auto; padding: 0 1; }
    ReviewScreen #command { height: auto; padding: 0 1; color: $text-muted; }
    ReviewScreen #price-row { height: 1; }
    ReviewScreen #price-row Static { width: auto; padding: 0 1; }
    ReviewScreen #price { width: 16; }
    ReviewScreen #price-row #limits {
        width: 1fr; text-wrap: nowrap; text-overflow: ellipsis;
    }
    ReviewScreen #texts { height: 1fr; }
    ReviewScreen #difference { width: 1fr; height: 1fr; padding: 0 1; display: none; }
    ReviewScreen.-wide #difference { display: block; width: 2fr; }
    ReviewScreen.-wide TomlView { width: 3fr; }
    ReviewScreen.-difference #difference { display: block; }
    ReviewScreen.-difference TomlView { display: none; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._full: tuple[Problem, ...] | None = None
        """What the full check found; None while it goes on."""
        self._listed: list[Problem] = []
        self._is_to_rehearse = False

    def compose_step(self) -> ComposeResult:
        """Numbers, problems, the TOML."""
        yield Figures("", markup=False)
        with Horizontal(id="price-row"):
            yield Static("Price of an hour")
            yield SafeInput(
                self.app.draft.fact("price_per_hour"),
                placeholder="such as $0.79",
                id="price",
                compact=True,
            )
            yield Static("", id="limits", markup=False)
        yield Static("", id="checked", markup=False)
        yield OptionList(id="found", markup=False, compact=True)
        with Horizontal(id="texts"):
            yield TomlView()
            with Vertical(id="difference"):
                yield Static("", id="differs", markup=False)
        yield Static("", id="command", markup=False)

    def on_mount(self) -> None:
        super().on_mount()
        self.query_one("#next", Button).label = "Start"
        self._show_limits()
        self._show_problems()
        self._show_figures()
        self.query_one("#next").focus()
        self._check(self.app.draft.snapshot())

    def on_resize(self) -> None:
        self._show_figures()

    def on_screen_resume(self) -> None:
        super().on_screen_resume()
        self._show_draft()

    def show_assessment(self, assessment: Assessment) -> None:
        """Show problems and numbers; the problems have a list of their own here."""
        self._show_steps()
        self._show_problems()
        self._show_figures()
        if self._is_to_rehearse and self.is_current:
            self.action_rehearse()

    def show_progress(self, done: int, total: int) -> None:
        """The full check tells it here."""

    def to_mend(self, found: Sequence[StepState]) -> int:
        """As many as the list here has."""
        return sum(item.severity == "error" for item in self._problems())

    def action_differences(self) -> None:
        """Show the difference to the preset, or the TOML again."""
        self.toggle_class("-difference")

    def action_copy(self) -> None:
        """Copy the command that runs the same without the wizard."""
        command = review.command(self.app.draft)
        self.app.copy_to_clipboard(command)
        saved = "" if review.is_saved(self.app.draft) else " The TOML is not saved yet: ctrl+s."
        self.app.notify(f"Copied: {command}.{saved}", markup=False)

    def action_limits(self) -> None:
        """Say when it is to end by itself."""
        self._ask_limits()

    def _ask_limits(self, first: str = "") -> None:
        self.app.push_screen(LimitsScreen(first), lambda _: self._show_limits())

    def _show_limits(self) -> None:
        draft = self.app.draft
        self.query_one("#price", SafeInput).value = draft.fact("price_per_hour")
        said = f"F6 It ends {start_limits.in_short(draft)}"
        if asked := start_limits.wrong(draft):
            said = f"{SIGNS['error']} F6 To mend: {asked.label}"
        self.query_one("#limits", Static).update(shown(said))
        self._show_draft()

    def action_check(self) -> None:
        """Check everything again."""
        self._full = None
        self.app.assessing.look_again()
        self._show_problems()
        self._check(self.app.draft.snapshot())

    def action_next(self) -> None:
        """Start, or say what stands in the way."""
        if self._is_refused():
            return
        if asked := start_limits.wrong(self.app.draft):
            self._ask_limits(asked.fact)
        else:
            ask_to_start(self, self._show_draft)

    def action_rehearse(self) -> None:
        """Do a little of it for real; as soon as enough is known, if that is later."""
        known, config = self.app.assessment, self.app.draft.snapshot().read().config
        if self._is_refused():
            return
        self._is_to_rehearse = known is None
        if known and config:
            self.app.push_screen(RehearsalScreen(known, config), self._rehearsed)

    def _rehearsed(self, change: Mend | None) -> None:
        if change:
            mend(self.app.draft, change)
        # The figures rest on it now.
        self._changed()

    def _is_refused(self) -> bool:
        errors = [item for item in self._problems() if item.severity == "error"]
        if errors:
            refuse(self, errors, self._go_to)
        return bool(errors)

    @on(OptionList.OptionSelected, "#found")
    def _problem_chosen(self, event: OptionList.OptionSelected) -> None:
        self._go_to(self._listed[event.option_index])

    @on(Input.Changed, "#price")
    def _price_typed(self, event: Input.Changed) -> None:
        event.stop()
        self.app.draft.note("price_per_hour", event.value)
        self._show_limits()
        self._show_figures()

    def _go_to(self, problem: Problem) -> None:
        go_to(self, problem, self._listed, self._changed)

    def _changed(self) -> None:
        self._show_draft()
        self.action_check()

    @work(thread=True, exclusive=True, group="check")
    def _check(self, snapshot: Snapshot) -> None:
        worker, known, last = get_current_worker(), self.app.assessment, 0.0

        def progress(done: int, total: int) -> None:
            nonlocal last
            if worker.is_cancelled:
                raise _LeftError
            if time.monotonic() - last > _SHOW_EVERY:
                last = time.monotonic()
                self.app.call_from_thread(self._show_checking, done, total)

        try:
            found = review.full_check(snapshot, known.base if known else None, progress)
        except _LeftError:
            return
        if not worker.is_cancelled:
            self.app.call_from_thread(self._checked, found)

    def _checked(self, found: tuple[Problem, ...]) -> None:
        if self.is_attached:
            self._full = found
            self._show_problems()
            self._show_steps()

    def _show_checking(self, done: int, total: int) -> None:
        if self.is_attached:
            self.query_one("#checked", Static).update(
                f"Checking every picture: {done:,} of {total:,}"
            )

    def _problems(self) -> tuple[Problem, ...]:
        if self._full is not None:
            return self._full
        known = self.app.assessment
        return known.problems if known else ()

    def _show_problems(self) -> None:
        self._listed = list(self._problems())
        listing = self.query_one("#found", OptionList)
        listing.clear_options()
        for item in self._listed:
            listing.add_option(Option(shown(f"{SIGNS[item.severity]} {review.problem_line(item)}")))
        listing.display = bool(self._listed)
        errors = sum(item.severity == "error" for item in self._listed)
        checked = self.query_one("#checked", Static)
        if self._full is None:
            checked.update("Checking everything, every picture, too ...")
        elif errors:
            checked.update(f"{SIGNS['error']} {errors} to mend before it can start (enter on one):")
        elif self._listed:
            checked.update(f"\u2713 It can start; {_REHEARSE}. Worth knowing:")
        else:
            checked.update(f"\u2713 Everything is checked: it can start; {_REHEARSE}.")

    def _show_draft(self) -> None:
        draft = self.app.draft
        self.query_one(TomlView).show(draft.text)
        than = "the preset" if draft.template else "the file as it was opened"
        rows = review.difference_lines(draft)
        parts = [shown(f"Other than {than}: " + ("" if rows else "nothing"), "bold")]
        for label, before, now in rows:
            parts.append(
                shown(f"\n{label}\n  {before} -> ") + shown(now.replace("\n", " / "), "bold")
            )
        self.query_one("#differs", Static).update(Content("").join(parts))
        saved = "F3 copies" if review.is_saved(draft) else "Once saved (ctrl+s)"
        words = f"{saved}: {review.command(draft)}"
        self.query_one("#command", Static).update(shown(words))

    def _show_figures(self) -> None:
        known, price = self.app.assessment, self.app.draft.fact("price_per_hour")
        readings = [steps_reading(known), time_reading(known), cost_reading(known, price)]
        readings += [memory_reading(known), disk_reading(known), file_reading(known)]
        self.query_one(Figures).show([item for item in readings if item], column=False)
        unreadable = bool(price.strip()) and parse_price(price) is None
        self.query_one("#price").set_class(unreadable, "-invalid")


class _LeftError(Exception):
    """The screen was left, or the check begun anew."""
