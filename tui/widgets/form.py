"""Fields for options of the draft, kept in step with it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Static

from ...core.config import values
from ...core.config.option_text import allowed_text, default_text
from ...core.config.options import OptionInfo
from ...core.config.sources import in_names
from ...core.errors import Problem
from ..walk.option_words import left_out
from .controls import Choice, YesNo
from .fields import NumberInput, OptionField, field_id, field_of
from .text import SafeInput, shown

if TYPE_CHECKING:
    from ..app import WizardApp


class Form(VerticalScroll):
    """Fields for ``options``. What is typed goes into the app's draft at once."""

    app: WizardApp
    can_focus = False
    BINDINGS: ClassVar[list[BindingType]] = [
        # At once, and not in the field's turn: what is typed right behind belongs to the next one.
        Binding("enter", "leave", "Next field", show=False, priority=True),
        Binding("tab,down", "move(1)", "Next field", show=False, priority=True),
        Binding("shift+tab,up", "move(-1)", "Field before", show=False, priority=True),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown", "page(1)", "Page down", show=False),
        Binding("ctrl+r", "revert", "Preset's value", show=False),
    ]

    DEFAULT_CSS = """
    Form .form-heading { padding: 0 1; margin: 1 0 0 0; text-style: bold; height: auto; }
    """

    def __init__(
        self,
        options: Iterable[OptionInfo],
        *,
        headings: Mapping[str, str] | None = None,
        id: str | None = None,
    ) -> None:
        """``headings`` says, by key, what stands above an option's field."""
        super().__init__(id=id)
        self._options = list(options)
        self._headings = headings or {}

    def compose(self) -> ComposeResult:
        yield from self._made(self._options)

    def _made(self, options: Iterable[OptionInfo]) -> ComposeResult:
        for info in options:
            if heading := self._headings.get(info.key):
                yield Static(heading, classes="form-heading", markup=False)
            yield OptionField(info, self.app.draft.shown(info.key))

    def on_mount(self) -> None:
        self.show_draft()

    @property
    def fields(self) -> list[OptionField]:
        """Its fields, from top to bottom."""
        return list(self.query(OptionField))

    def show_draft(self) -> None:
        """Show what the draft says now."""
        for field in self.fields:
            field.show_text(self.app.draft.shown(field.info.key))
            self._judge(field)

    def show_problems(self, problems: Sequence[Problem]) -> None:
        """Show what is known of the draft beside the fields that it is about."""
        for field in self.fields:
            self._judge(field, problems)

    async def extend(self, options: Iterable[OptionInfo], headings: Mapping[str, str]) -> None:
        """Put more fields below."""
        more, self._headings = list(options), {**self._headings, **headings}
        self._options += more
        await self.mount_all(self._made(more))
        self.show_draft()

    def find(self, words: str) -> int:
        """Show only the fields that have all ``words`` in their label, key, help or name in
        sd-scripts; returns how many. Everything is shown again without words."""
        wanted = words.lower().split()
        for field in self.fields:
            info = field.info
            text = f"{info.label} {info.key} {info.help} {info.also}".lower()
            field.display = all(word in text for word in wanted)
        for heading in self.query(".form-heading"):
            heading.display = not wanted
        return sum(field.display for field in self.fields)

    def focus_field(self, key: str) -> bool:
        """Go to the field of an option; False when it is not here."""
        for field in self.query(f"#{field_id(key)}").results(OptionField):
            field.input.focus()
            return True
        return False

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Fields with lines or lists of their own need these keys themselves."""
        if action in ("leave", "move"):
            return type(self.screen.focused) in _SIMPLE
        return True

    def action_move(self, distance: int) -> None:
        """To the next field, or the one before."""
        if distance > 0:
            self.screen.focus_next()
        else:
            self.screen.focus_previous()

    def action_leave(self) -> None:
        """To the next field; behind the last one on to the next step."""
        fields = [field for field in self.fields if field.display]
        onward = self.screen.query("#next")
        if fields and onward and field_of(self.screen.focused) is fields[-1]:
            onward.first().focus()
        else:
            self.screen.focus_next()

    def action_page(self, pages: int) -> None:
        """Go a screenful of fields on."""
        shown_fields = [field for field in self.fields if field.display]
        here = field_of(self.screen.focused)
        if here in shown_fields:
            at = shown_fields.index(here) + pages * max(1, self.size.height - 2)
            shown_fields[max(0, min(at, len(shown_fields) - 1))].input.focus()

    def action_revert(self) -> None:
        """Give the field with the focus the preset's value."""
        field = field_of(self.screen.focused)
        if field is not None:
            self.app.draft.revert(field.info.key)
            field.show_text(self.app.draft.shown(field.info.key))
            self._judge(field)
            self.app.touch()

    @on(OptionField.Edited)
    def _edited(self, event: OptionField.Edited) -> None:
        self.app.draft.enter(event.field.info.key, event.text)
        self._judge(event.field)
        self.app.touch()

    def _judge(self, field: OptionField, problems: Sequence[Problem] | None = None) -> None:
        draft, key = self.app.draft, field.info.key
        if problems is None:
            known = self.app.assessment
            problems = known.problems if known else ()
        found = draft.problem(key) or next((item for item in problems if _is_of(item, key)), None)
        field.show_problem(found)
        if key.startswith("optimizer."):
            field.show_left_out(left_out(field.info, str(draft.value("optimizer.name"))))
        # A preset's example of a folder is no choice that somebody went against.
        is_open = field.info.path and not field.text
        preset = values.as_text(field.info, draft.preset_value(key))
        field.show_mark(draft.differs(key) and not is_open, preset)


class FieldHelp(Static):
    """What the field with the focus is for, what may stand in it, and who says so. ``of_step`` is
    said while no option has the focus."""

    DEFAULT_CSS = """
    FieldHelp { height: 4; padding: 0 1; background: $panel; color: $text-muted; }
    """

    def __init__(self, of_step: str = "") -> None:
        super().__init__()
        self._of_step = of_step

    def show(self, info: OptionInfo | None) -> None:
        """Explain ``info``, or without one the step; what does not fit is behind F1."""
        text = help_text(info) if info else self._of_step
        width, height = self.size.width - 2, self.size.height
        if width > 0:
            lines = [line for part in text.split("\n") for line in _wrapped(part, width)]
            if len(lines) > height:
                last = textwrap.shorten(lines[height - 1], width - 10, placeholder="")
                lines[height - 1 :] = [f"{last} ... F1"]
            text = "\n".join(lines)
        self.update(shown(text), layout=False)

    def on_mount(self) -> None:
        self.watch(self.screen, "focused", self._focus_moved)

    def on_resize(self) -> None:
        self._focus_moved()

    def _focus_moved(self) -> None:
        field = field_of(self.screen.focused)
        self.show(field.info if field else None)


_SIMPLE = (SafeInput, NumberInput, Choice, YesNo)
"""Controls of one line, which leave enter and the arrows to the form."""


def help_text(info: OptionInfo) -> str:
    """An option in words, as `lora-wizard options` has them."""
    default = "required" if info.required else f"default {default_text(info)}"
    default = (
        default.replace('""', "nothing")
        .replace("[]", "none")
        .replace("{}", "none")
        .replace("absent", "not set")
    )
    rest = [f"{allowed_text(info)}; {default}."]
    if info.source:
        rest.append(f"Advice: {in_names(info.source)}.")
    if info.also:
        rest.append(f"sd-scripts: {info.also}.")
    return f"{info.help}\n{' '.join(rest)}"


def _wrapped(text: str, width: int) -> list[str]:
    # Names such as sd-scripts stay whole.
    return textwrap.wrap(text, width, break_on_hyphens=False)


def _is_of(problem: Problem, key: str) -> bool:
    return problem.where == key or problem.where.startswith((f"{key}[", f"{key}."))
