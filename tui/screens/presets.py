"""The choice of a preset: what a new LoRA begins from."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import Screen
from textual.widgets import OptionList, Static

from ..walk.draft import Draft
from ..walk.presets import presets, sources_in_words
from ..widgets.footer import Footer
from ..widgets.rows import Rows
from ..widgets.text import shown

if TYPE_CHECKING:
    from ..app import WizardApp


class PresetScreen(Screen[None]):
    """Titles, what each is for, and who says so."""

    app: WizardApp
    HELP = (
        "A preset is a complete configuration with a source for each value. Everything in it can "
        "be changed on the way, and what differs from it is marked. In doubt take the first."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "app.pop_screen", "Back"),
    ]
    DEFAULT_CSS = """
    PresetScreen #question { height: 1; padding: 0 1; color: $primary; text-style: bold; }
    PresetScreen Rows { height: 1fr; margin: 0 1; }
    PresetScreen #source {
        height: 4; padding: 0 1; border-top: solid $primary; color: $text-muted;
    }
    """

    def compose(self) -> ComposeResult:
        yield Static(
            "What is it to learn? Choose with \u2191 \u2193, enter takes it; all can be changed.",
            id="question",
        )
        yield Rows("presets", wrap=True)
        yield Static("", id="source", markup=False)
        yield Footer()

    def on_mount(self) -> None:
        self._presets = presets()
        rows: list[Content] = []
        for preset in self._presets:
            gap = Content("\n") if preset is not self._presets[0] else Content("")
            rows.append(gap + shown(preset.title, "bold") + shown(f"\n{preset.summary}"))
        self.query_one(Rows).show(rows)
        self.query_one(Rows).focus()

    @on(OptionList.OptionHighlighted)
    def _tell_source(self, event: OptionList.OptionHighlighted) -> None:
        preset = self._presets[event.option_index]
        said = f"The numbers are from {sources_in_words(preset.source)}"
        self.query_one("#source", Static).update(shown(said))

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        preset = self._presets[event.option_index]
        self.app.pop_screen()
        self.app.begin(Draft.new(preset.name))
