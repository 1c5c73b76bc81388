"""Form fields, made from the definitions of the options."""

from __future__ import annotations

from typing import Any

from rich.cells import cell_len
from textual import events, on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.suggester import SuggestFromList
from textual.widget import Widget
from textual.widgets import Input, Static, TextArea

from ...core.config.options import OptionInfo
from ...core.config.values import takes_numbers
from ...core.errors import Problem
from ...core.text import printable
from ..walk.option_words import choices, has_lines, label_of, placeholder, suggestions
from .controls import Choice, YesNo
from .path_input import FOLDERS, PathInput
from .text import SafeInput, SafeTextArea, clipped, shown

CHANGED_MARK = "*"
SIGNS = {"error": "✗", "warning": "!", "note": "i"}
"""By a problem's severity: what stands before it, so that no colour has to say it."""

_FILES = {
    "model.base": (".safetensors",),
    "network.weights": (".safetensors",),
    "captions.metadata": (".json", ".jsonl"),
}
"""Options whose path may lead to a file, and what such files end with."""
_ABSENT = "default"
_MARK_CELLS = 22


class OptionField(Vertical):
    """One option: its label, what it is set to, a mark with the preset's value when that is
    another one, and what is wrong with it. The help is for the one that has the focus
    (`FieldHelp`)."""

    class Edited(Message):
        """A person has changed the field's text."""

        def __init__(self, field: OptionField, text: str) -> None:
            super().__init__()
            self.field = field
            self.text = text

        @property
        def control(self) -> OptionField:
            return self.field

    DEFAULT_CSS = """
    OptionField { height: auto; }
    OptionField > * { margin: 0 0 0 26; }
    OptionField .field-problem { padding: 0 1 0 0; color: $text-error; }
    .-narrow OptionField .field-problem { margin: 0 0 0 3; }
    OptionField .field-problem.-warning { color: $text-warning; }
    OptionField .field-problem.-note { color: $text-muted; }
    OptionField Input { width: 1fr; }
    OptionField TextArea { width: 1fr; height: auto; min-height: 1; max-height: 6;
        padding: 0; }
    """

    def __init__(self, info: OptionInfo, text: str, *, label: str = "") -> None:
        super().__init__(id=field_id(info.key))
        self.info = info
        self._text = text
        self._label = label or label_of(info)
        self._problem: Problem | None = None
        self._preset: str | None = None
        self._mark = ""

    def compose(self) -> ComposeResult:
        yield self._made()

    def render(self) -> Content:
        """Label and mark, beside the control: a form of widgets for them takes twice the time."""
        style = "bold $text-primary" if self.has_focus_within else ""
        label = Content.styled(f" {self._label}", style)
        gap = " " * max(1, self.size.width - label.cell_length - cell_len(self._mark))
        return label + Content(gap) + Content.styled(self._mark, "$text-warning")

    def _made(self) -> Widget:
        info = self.info
        if info.annotation is bool:
            return YesNo(self._text or "false")
        if words := choices(info):
            if info.default is not None:
                return Choice(words, self._text)
            return Choice(["", *words], self._text, [_ABSENT, *words])
        if info.path:
            endings = _FILES.get(info.key, FOLDERS)
            return PathInput(
                self._text, endings=endings, placeholder=placeholder(info), compact=True
            )
        if has_lines(info):
            return SafeTextArea(
                self._text, compact=True, show_line_numbers=False, highlight_cursor_line=False
            )
        others = suggestions(info)
        kind = NumberInput if takes_numbers(info.annotation) else SafeInput
        return kind(
            self._text,
            placeholder=placeholder(info),
            compact=True,
            suggester=SuggestFromList(others, case_sensitive=False) if others else None,
        )

    @property
    def text(self) -> str:
        """What stands in the field."""
        return self._text

    @property
    def input(self) -> Widget:
        """What has the focus when the field has it."""
        return self.query_one("Choice, TextArea, Input", Widget)

    def show_text(self, text: str) -> None:
        """Put ``text`` in as if it had been there: no `Edited` follows."""
        if text == self._text:
            return
        self._text = text
        with self.prevent(Choice.Changed, TextArea.Changed, Input.Changed):
            control: Any = self.input
            if isinstance(control, TextArea):
                control.text = text
            else:
                control.value = text

    def show_left_out(self, text: str) -> None:
        """Say what counts while the field is empty."""
        control = self.input
        if isinstance(control, Input) and control.placeholder != text:
            control.placeholder = text

    def show_problem(self, problem: Problem | None) -> None:
        """Say, or no longer say, what is wrong or worth knowing."""
        if problem == self._problem:
            return
        self._problem = problem
        self.set_class(problem is not None and problem.severity == "error", "-wrong")
        said = next(iter(self.query(".field-problem").results(Static)), None)
        if said is None:
            # Most fields never need it.
            said = Static("", classes="field-problem", markup=False)
            self.mount(said)
        said.display = problem is not None
        if problem:
            words = f"{SIGNS.get(problem.severity, '')} {problem.words}"
            said.update(shown(words.strip()))
            said.set_classes(["field-problem", f"-{problem.severity}"])
            if self.has_focus_within:
                self._show_whole()

    def show_mark(self, differs: bool, preset: str = "") -> None:
        """Mark that the value is not the preset's, which is ``preset``."""
        self._preset = preset.replace("\n", ", ") if differs else None
        if self.info.path and isinstance(path := self.input, PathInput):
            path.holds_preset(not differs)
        self._mark_value()

    def on_resize(self) -> None:
        self._mark_value()

    def _mark_value(self) -> None:
        """In words where they leave room for the value, by the sign alone elsewhere."""
        # The stylesheet's: it is another one where there is little room.
        mark, left = "", self.input.styles.base.margin.left
        if self._preset is not None:
            words = f"preset {self._preset}" if self._preset else "yours"
            mark = clipped(f"{CHANGED_MARK} {words}", _MARK_CELLS)
            if self.size.width - left - cell_len(mark) - 1 < self._value_cells:
                mark = CHANGED_MARK
        # A layout anew at each key would be felt.
        if mark != self._mark or (mark and left != self.input.styles.margin.left):
            self._mark = mark
            self.input.styles.margin = (0, cell_len(mark) + 1 if mark else 0, 0, left)
            self.refresh()

    @property
    def _value_cells(self) -> int:
        control = self.input
        if isinstance(control, Choice):
            return control.cells
        # And the cursor behind it.
        return max(map(cell_len, printable(self._text).split("\n")), default=0) + 1

    def on_descendant_blur(self) -> None:
        self.refresh()

    def on_descendant_focus(self) -> None:
        self.refresh()
        if self._problem:
            self._show_whole()

    def _show_whole(self) -> None:
        """Also what is said below the control."""
        self.call_after_refresh(self.scroll_visible, animate=False)

    @on(Choice.Changed)
    def _chosen(self, event: Choice.Changed) -> None:
        event.stop()
        self._say(event.value)

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self._say(event.value)

    @on(TextArea.Changed)
    def _written(self, event: TextArea.Changed) -> None:
        event.stop()
        self._say(event.text_area.text)

    def _say(self, text: str) -> None:
        # Textual also reports values that a widget is born with.
        if text != self._text:
            self._text = text
            self.post_message(self.Edited(self, text))


class NumberInput(SafeInput):
    """A number to type in. A slash is none, so a screen that can look for fields does."""

    async def _on_key(self, event: events.Key) -> None:
        if event.character == "/" and hasattr(self.screen, "action_find"):
            event.stop()
            event.prevent_default()
            await self.run_action("screen.find")


def field_id(key: str) -> str:
    """The widget id of an option's field."""
    return "field-" + key.replace(".", "-").replace("[", "-").replace("]", "")


def field_of(widget: Widget | None) -> OptionField | None:
    """The field that ``widget`` is in."""
    nodes = widget.ancestors_with_self if widget else ()
    return next((node for node in nodes if isinstance(node, OptionField)), None)
