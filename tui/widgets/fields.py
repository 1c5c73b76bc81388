"""Form fields, made from the definitions of the options."""

from __future__ import annotations

from typing import get_args

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Checkbox, Input, Select, Static, TextArea

from ...core.config.option_text import registered
from ...core.config.options import OptionInfo
from ...core.errors import Problem
from .path_input import FOLDERS, PathInput
from .text import SafeInput, SafeTextArea, shown

CHANGED_MARK = "*"
_FILES = {"model.base": (".safetensors",)}
"""Options whose path may lead to a file, and what such files end with."""


class OptionField(Vertical):
    """One option: its label, what it is set to, a mark when that is not the preset's, and what is
    wrong with it. The help is for the one that has the focus (`FieldHelp`)."""

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
    OptionField .field-mark { width: 2; color: $warning; }
    OptionField .field-problem { color: $error; padding: 0 1 0 27; display: none; }
    OptionField.-wrong .field-problem { display: block; }
    OptionField Input, OptionField Select, OptionField Checkbox { width: 1fr; }
    OptionField TextArea { width: 1fr; height: auto; min-height: 1; max-height: 6; }
    """

    def __init__(self, info: OptionInfo, text: str, *, label: str = "") -> None:
        super().__init__(id=field_id(info.key))
        self.info = info
        self._text = text
        self._label = label or label_of(info)

    def compose(self) -> ComposeResult:
        with Horizontal():
            yield Static(self._label, classes="field-label", markup=False)
            yield self._made()
            yield Static("", classes="field-mark", markup=False)
        yield Static("", classes="field-problem", markup=False)

    def _made(self) -> Widget:
        info = self.info
        if info.annotation is bool:
            return Checkbox("", self._text == "true", compact=True)
        if words := choices(info):
            known = [(word, word) for word in words]
            if self._text and self._text not in words:
                known.append((shown(self._text).plain, self._text))
            blank = self._text == ""
            value = Select.NULL if blank else self._text
            return Select(known, value=value, allow_blank=info.default is None, compact=True)
        if info.path:
            endings = _FILES.get(info.key, FOLDERS)
            return PathInput(
                self._text, endings=endings, placeholder=placeholder(info), compact=True
            )
        if has_lines(info):
            return SafeTextArea(self._text, compact=True, show_line_numbers=False)
        return SafeInput(self._text, placeholder=placeholder(info), compact=True)

    @property
    def text(self) -> str:
        """What stands in the field."""
        return self._text

    def show_text(self, text: str) -> None:
        """Put ``text`` in as if it had been there: no `Edited` follows."""
        if text == self._text:
            return
        self._text = text
        with self.prevent(Checkbox.Changed, Select.Changed, TextArea.Changed, Input.Changed):
            for control in self.query("Checkbox, Select, TextArea, Input"):
                if isinstance(control, Checkbox):
                    control.value = text == "true"
                elif isinstance(control, Select):
                    control.value = text or Select.NULL
                elif isinstance(control, TextArea):
                    control.text = text
                elif isinstance(control, Input):
                    control.value = text

    def show_problem(self, problem: Problem | None) -> None:
        """Say, or no longer say, what is wrong."""
        self.set_class(problem is not None, "-wrong")
        words = f"{problem.message}. {problem.remedy}" if problem else ""
        self.query_one(".field-problem", Static).update(shown(words.strip()))

    def show_mark(self, differs: bool) -> None:
        """Mark that the value is not the preset's."""
        self.query_one(".field-mark", Static).update(f" {CHANGED_MARK}" if differs else "")

    @on(Checkbox.Changed)
    def _checked(self, event: Checkbox.Changed) -> None:
        event.stop()
        self._say("true" if event.value else "false")

    @on(Select.Changed)
    def _chosen(self, event: Select.Changed) -> None:
        event.stop()
        self._say("" if event.value is Select.NULL else str(event.value))

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


def field_id(key: str) -> str:
    """The widget id of an option's field."""
    return "field-" + key.replace(".", "-").replace("[", "-").replace("]", "")


def label_of(info: OptionInfo) -> str:
    """The option's name in words."""
    words = info.key.rpartition(".")[2].replace("_", " ").capitalize()
    return f"{words} ({info.unit})" if info.unit else words


def choices(info: OptionInfo) -> list[str]:
    """The words that may stand there, when nothing else may."""
    if words := registered(info.key):
        return list(words)
    others = {part for part in get_args(info.annotation) if part in (int, float, str)}
    return [] if others else [str(word) for word in info.choices]


def has_lines(info: OptionInfo) -> bool:
    """Whether it is a list of texts of one line each."""
    lists = {info.annotation, *get_args(info.annotation)}
    return list[str] in lists and info.separator == "\n"


def placeholder(info: OptionInfo) -> str:
    """What an empty field says."""
    return info.allowed if info.default is None else ""
