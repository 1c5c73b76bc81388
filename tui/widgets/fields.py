"""Form fields, made from the definitions of the options."""

from __future__ import annotations

from typing import Any

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.css.query import NoMatches
from textual.message import Message
from textual.suggester import SuggestFromList
from textual.widget import Widget
from textual.widgets import Input, Static, TextArea

from ...core.config.options import OptionInfo
from ...core.config.values import takes_numbers
from ...core.errors import Problem
from ..walk.option_words import choices, has_lines, label_of, placeholder, suggestions
from .controls import Choice, YesNo
from .path_input import FOLDERS, PathInput
from .text import SafeInput, SafeTextArea, shown

CHANGED_MARK = "*"
SIGNS = {"error": "✗", "warning": "!", "note": "i"}
"""By a problem's severity: what stands before it, so that no colour has to say it."""

_FILES = {"model.base": (".safetensors",)}
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
    OptionField > Horizontal { height: auto; }
    OptionField .field-label { width: 26; padding: 0 1; }
    OptionField:focus-within .field-label { text-style: bold; color: $text-primary; }
    OptionField .field-mark { width: auto; max-width: 24; padding: 0 0 0 1; color: $text-warning; }
    OptionField .field-problem { padding: 0 1 0 26; color: $text-error; }
    OptionField .field-problem.-warning { color: $text-warning; }
    OptionField .field-problem.-note { color: $text-muted; }
    OptionField Input { width: 1fr; }
    OptionField TextArea { width: 1fr; height: auto; min-height: 1; max-height: 6; }
    """

    def __init__(self, info: OptionInfo, text: str, *, label: str = "") -> None:
        super().__init__(id=field_id(info.key))
        self.info = info
        self._text = text
        self._label = label or label_of(info)
        self._problem: Problem | None = None
        self._mark = ""

    def compose(self) -> ComposeResult:
        with Horizontal():
            yield Static(self._label, classes="field-label", markup=False)
            yield self._made()

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

    def show_problem(self, problem: Problem | None) -> None:
        """Say, or no longer say, what is wrong or worth knowing."""
        if problem == self._problem:
            return
        self._problem = problem
        self.set_class(problem is not None and problem.severity == "error", "-wrong")
        said = self._part(".field-problem", problem is not None)
        if said and problem:
            sign = SIGNS.get(problem.severity, "")
            words = f"{sign} {_ended(problem.message)} {problem.remedy}".strip()
            said.update(shown(words))
            said.set_classes(["field-problem", f"-{problem.severity}"])

    def show_mark(self, differs: bool, preset: str = "") -> None:
        """Mark that the value is not the preset's, which is ``preset``."""
        words = preset.replace("\n", ", ") or "empty"
        text = f"{CHANGED_MARK} preset {words}" if differs else ""
        # A layout anew at each key would be felt.
        if text != self._mark:
            self._mark = text
            mark = self._part(".field-mark", differs)
            if mark:
                mark.update(shown(text, limit=_MARK_CELLS))

    def _part(self, name: str, wanted: bool) -> Static | None:
        """A part that most fields never need; made when it is."""
        try:
            part = self.query_one(name, Static)
        except NoMatches:
            if not wanted:
                return None
            part = Static("", classes=name.removeprefix("."), markup=False)
            if name == ".field-mark":
                self.query_one(Horizontal).mount(part)
            else:
                self.mount(part)
        part.display = wanted
        return part

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
    """A number to type in. A slash is none, and so is free for the screen to look for fields."""

    def check_consume_key(self, key: str, character: str | None) -> bool:
        return character != "/" and super().check_consume_key(key, character)


def field_id(key: str) -> str:
    """The widget id of an option's field."""
    return "field-" + key.replace(".", "-").replace("[", "-").replace("]", "")


def field_of(widget: Widget | None) -> OptionField | None:
    """The field that ``widget`` is in."""
    nodes = widget.ancestors_with_self if widget else ()
    return next((node for node in nodes if isinstance(node, OptionField)), None)


def _ended(sentence: str) -> str:
    return sentence if sentence.endswith((".", "!", "?")) else f"{sentence}."
