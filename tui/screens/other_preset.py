"""Which preset: what each is for, and what would change and what would stay."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static

from ...core.config import values
from ...core.config.sources import without_signs
from ...core.templates import Template
from ..walk.draft import Draft
from ..walk.presets import presets
from ..widgets.footer import Footer
from ..widgets.text import clipped, shown

_LONGEST = 48


class OtherPresetScreen(ModalScreen[str | None]):
    """Dismissed with the preset's name, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "Back")]
    DEFAULT_CSS = """
    OtherPresetScreen > Vertical { background: $surface; }
    OtherPresetScreen #question { height: 1; padding: 0 1; background: $panel; }
    OtherPresetScreen OptionList { width: 26; height: 1fr; border: none; }
    OtherPresetScreen #then { width: 1fr; height: 1fr; padding: 0 1; }
    """

    def __init__(self, draft: Draft) -> None:
        super().__init__()
        self._draft = draft
        self._presets = presets()

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Static(
                "Which preset? enter takes it, esc leaves everything as it is.", id="question"
            )
            with Horizontal():
                yield OptionList(*map(self._title, self._presets), markup=False, compact=True)
                with VerticalScroll(id="then", can_focus=False):
                    yield Static("", id="change", markup=False)
        yield Footer()

    def on_mount(self) -> None:
        names = [preset.name for preset in self._presets]
        at = names.index(self._draft.template) if self._draft.template in names else 0
        self.query_one(OptionList).highlighted = at

    @on(OptionList.OptionHighlighted)
    def _looked_at(self, event: OptionList.OptionHighlighted) -> None:
        preset = self._presets[event.option_index]
        parts = [
            shown(preset.title, "bold"),
            shown(f"\n{preset.summary}"),
        ]
        parts.append(shown(f"\nFrom {without_signs(preset.source)}", "dim"))
        parts.append(self._changes(preset.name))
        self.query_one("#change", Static).update(Content.assemble(*parts))

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._presets[event.option_index].name)

    def _title(self, preset: Template) -> str:
        return f"{preset.title} (now)" if preset.name == self._draft.template else preset.title

    def _changes(self, name: str) -> Content:
        draft = self._draft
        if name == draft.template:
            return shown("\n\nThis is the one you have.")
        changed = draft.changes_by(name)
        lines = ["\n\nIt would change:" if changed else "\n\nIt would change nothing."]
        for info, now, then in changed:
            before, after = (_in_a_line(values.as_text(info, value)) for value in (now, then))
            lines.append(f"  {info.label:<24} {before} -> {after}")
        kept = [info for info, _, _ in draft.differences() if draft.is_own(info.key)]
        if kept:
            lines.append("What you set yourself stays:")
            for info in kept:
                lines.append(f"  {info.label:<24} {_in_a_line(draft.shown(info.key))}")
        return shown("\n".join(lines))


def _in_a_line(value: str) -> str:
    """``value``, a list's parts one after the other, cut where it would fill the screen."""
    return clipped(" | ".join(value.splitlines()), _LONGEST) or "-"
