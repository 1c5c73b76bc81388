"""Fields for options of the draft, kept in step with it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static

from ...core.config.option_text import allowed_text, default_text
from ...core.config.options import OptionInfo
from .fields import OptionField
from .text import shown

if TYPE_CHECKING:
    from ..app import WizardApp


class Form(VerticalScroll):
    """Fields for ``options``. What is typed goes into the app's draft at once."""

    app: WizardApp
    can_focus = False

    def __init__(self, options: Iterable[OptionInfo], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._options = list(options)

    def compose(self) -> ComposeResult:
        for info in self._options:
            yield OptionField(info, self.app.draft.shown(info.key))

    def on_mount(self) -> None:
        self.show_draft()

    def show_draft(self) -> None:
        """Show what the draft says now."""
        draft = self.app.draft
        for field in self.query(OptionField):
            key = field.info.key
            field.show_text(draft.shown(key))
            field.show_problem(draft.problem(key))
            field.show_mark(draft.differs(key))

    @on(OptionField.Edited)
    def _edited(self, event: OptionField.Edited) -> None:
        key = event.field.info.key
        event.field.show_problem(self.app.draft.enter(key, event.text))
        event.field.show_mark(self.app.draft.differs(key))
        self.app.touch()


class FieldHelp(Static):
    """What the field with the focus is for, what may stand in it, and who says so."""

    DEFAULT_CSS = """
    FieldHelp { height: 4; padding: 0 1; background: $panel; color: $text-muted; }
    """

    def show(self, info: OptionInfo | None) -> None:
        """Explain ``info``."""
        self.update(shown(help_text(info) if info else ""))

    def on_mount(self) -> None:
        self.watch(self.screen, "focused", self._focus_moved)

    def _focus_moved(self) -> None:
        focused = self.screen.focused
        field = (
            next(
                (node for node in focused.ancestors_with_self if isinstance(node, OptionField)),
                None,
            )
            if focused
            else None
        )
        self.show(field.info if field else None)


def help_text(info: OptionInfo) -> str:
    """An option in words, as `lora-wizard options` has them."""
    default = "required" if info.required else f"default {default_text(info)}"
    rest = [f"{allowed_text(info)}; {default}."]
    if info.source:
        rest.append(f"Source: {info.source}.")
    if info.also:
        rest.append(f"sd-scripts: {info.also}.")
    return f"{info.help}\n{' '.join(rest)}"
