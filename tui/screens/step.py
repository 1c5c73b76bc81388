"""What every step of the walk looks like: where one is, what is asked, what is wrong, how to go
on."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.events import Click
from textual.reactive import Reactive
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Button, Input, Static

from ...core.errors import Problem
from ...core.text import printable
from ..walk import guide, steps
from ..walk.assessment import Assessment
from ..walk.progress import MARKS, StepState, arrive, states
from ..widgets.footer import Footer
from ..widgets.form import FieldHelp, Form
from ..widgets.lines import Lines, say
from ..widgets.text import clipped, shown
from ..widgets.thrift import fit

if TYPE_CHECKING:
    from ..app import WizardApp

_SIGNS = {"error": ("✗ error: ", "$error"), "warning": ("! ", "$warning"), "note": ("i ", "")}
_WIDTH = 26
"""Of a line in the list of steps."""


class StepScreen(Screen[None]):
    """A step. Subclasses say which (`name_of_step`) and compose what is asked (`compose_step`);
    `show_assessment` is called whenever more is known of the draft."""

    app: WizardApp
    # Textual's own paints all of the screen when the focus moves; the widgets do that themselves.
    focused = Reactive[Widget | None](None, repaint=False)
    name_of_step: ClassVar[str]
    HORIZONTAL_BREAKPOINTS: ClassVar[list[tuple[int, str]] | None] = [
        (0, "-narrow"),
        (100, "-wide"),
    ]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "Back"),
        Binding("ctrl+n", "next", "Next"),
        Binding("ctrl+s", "save", "Save"),
        Binding("f9", "review", "To the review", show=False),
    ]
    DEFAULT_CSS = """
    StepScreen #steps { width: 28; height: 100%; padding: 1 1; background: $panel; }
    StepScreen.-narrow #steps { display: none; }
    StepScreen #where { height: 1; background: $panel; padding: 0 1; }
    StepScreen.-wide #where { display: none; }
    StepScreen #asked { height: 1fr; }
    StepScreen #said { height: auto; max-height: 5; padding: 0 1; }
    StepScreen #buttons { height: 1; }
    StepScreen #buttons Button { min-width: 10; margin: 0 1; }
    StepScreen #buttons Button:focus {
        background: $foreground; color: $background; text-style: bold;
    }
    """

    @property
    def step(self) -> steps.Step:
        return steps.find(self.name_of_step)

    def compose(self) -> ComposeResult:
        fit(self)
        with Horizontal():
            yield Lines(id="steps")
            with Vertical():
                yield Static("", id="where", markup=False)
                with Vertical(id="asked"):
                    yield from self.compose_step()
                yield Static("", id="said", markup=False)
                yield FieldHelp(guide.STEPS.get(self.name_of_step, ""))
                with Horizontal(id="buttons"):
                    yield Button("Back", id="back", compact=True)
                    yield Button("Next", id="next", variant="primary", compact=True)
        yield Footer()

    def compose_step(self) -> ComposeResult:
        """What is asked; by default a form of the step's options."""
        yield Form(self.step.options())

    def on_mount(self) -> None:
        self._show_steps()
        if self.app.assessment:
            self.show_assessment(self.app.assessment)

    def on_screen_resume(self) -> None:
        arrive(self.app.draft, self.step)
        for form in self.query(Form):
            form.show_draft()

    def show_assessment(self, assessment: Assessment) -> None:
        """Show what is known of the draft now; by default the step's problems."""
        self.show_problems(self.step.problems(assessment.problems))
        self._show_steps()

    def show_problems(self, problems: Iterable[Problem]) -> None:
        """Say ``problems`` below what is asked."""
        lines = []
        for item in problems:
            sign, style = _SIGNS.get(item.severity, ("", ""))
            said = printable(item.words)
            lines.append(Content.styled(sign, style) + shown(said))
        say(self.query_one("#said", Static), Content("\n").join(lines))

    def show_progress(self, done: int, total: int) -> None:
        """Show how far the pictures are read."""
        self.query_one("#said", Static).update(f"reading pictures {done}/{total}")

    def action_next(self) -> None:
        """Go to the next step; what is wrong here is said, and does not hold anybody up."""
        following = steps.after(self.step)
        if following:
            self.app.go(following.name)

    def action_back(self) -> None:
        """Go to the step before; home from the first."""
        before = steps.after(self.step, -1)
        if before:
            self.app.go(before.name)
        else:
            self.app.go_home()

    def action_review(self) -> None:
        """Straight to the review, for whoever has all answers."""
        last = steps.STEPS[-1]
        if self.step is not last:
            self.app.go(last.name)

    def action_save(self) -> None:
        """Write the TOML."""
        from .save import save

        save(self.app)

    def action_save_as(self) -> None:
        """Write the TOML under another name."""
        from .save import save_as

        save_as(self.app)

    @on(Input.Submitted)
    def _entered(self) -> None:
        """To the next field; behind the last one to Next."""
        focused, chain = self.focused, self.focus_chain
        place = chain.index(focused) + 1 if focused in chain else len(chain)
        following = chain[place] if place < len(chain) else None
        asked = self.query_one("#asked")
        if following is not None and asked in following.ancestors:
            following.focus()
        else:
            self.query_one("#next").focus()

    @on(Click, "#steps")
    def _step_clicked(self, event: Click) -> None:
        inside = event.get_content_offset(self.query_one("#steps"))
        place = inside.y // _LINES if inside else len(steps.STEPS)
        if place < len(steps.STEPS) and steps.STEPS[place] != self.step:
            self.app.go(steps.STEPS[place].name)

    @on(Button.Pressed, "#next")
    def _next_pressed(self) -> None:
        self.action_next()

    @on(Button.Pressed, "#back")
    def _back_pressed(self) -> None:
        self.action_back()

    def to_mend(self, found: Sequence[StepState]) -> int:
        """How many things are wrong in what was seen so far."""
        return sum(state.errors for state in found if state.mark != "ahead")

    def _show_steps(self) -> None:
        found = states(self.app.draft, self.step, self.app.assessment)
        place = steps.STEPS.index(self.step) + 1
        wrong = self.to_mend(found)
        where = f"Step {place}/{len(found)}  {self.step.title}: {self.step.purpose}"
        is_last = self.step is steps.STEPS[-1]
        mend = f"  ✗ {wrong} to mend{'' if is_last else ' (F9: the list)'}" if wrong else ""
        say(self.query_one("#where", Static), where + mend)
        self.query_one("#steps", Lines).show(Content("\n").join(map(_line, found)))


def screen_of(step: str) -> StepScreen:
    """The screen of a step of the walk."""
    name = steps.find(step).name
    module = importlib.import_module(f".{name}", __package__)
    return getattr(module, f"{name.capitalize()}Screen")()


_LINES = 2
"""Of a step in the list."""
_STYLES = {"here": "bold $primary", "wrong": "$error", "done": "", "ahead": "$text-muted"}


def _line(state: StepState) -> Content:
    """A step with its answer below: `_LINES`."""
    glyph, word = MARKS[state.mark]
    if state.mark == "here" and state.errors:
        word = MARKS["wrong"][1]
    title = f"{glyph} {state.step.title}"
    head = f"{title:<{_WIDTH - len(word)}}{word}"
    answer = clipped(state.answer, _WIDTH - 2)
    return Content.styled(head, _STYLES[state.mark]) + shown(f"\n  {answer}", "$text-muted")
