"""The choice of a preset: what a new LoRA begins from."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import Screen
from textual.widgets import OptionList, Static

from ...core.config.sources import without_signs
from ..walk.draft import Draft
from ..walk.presets import numbers, presets
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
    PresetScreen #numbers { display: none; padding: 0 1; border-top: solid $primary; }
    PresetScreen.-tall #numbers { display: block; height: auto; }
    PresetScreen.-tall Rows { height: auto; max-height: 55%; margin: 1; }
    PresetScreen.-tall #source { border-top: none; margin: 1 0 0 0; }
    """
    VERTICAL_BREAKPOINTS: ClassVar[list[tuple[int, str]] | None] = [(0, "-short"), (32, "-tall")]

    def compose(self) -> ComposeResult:
        yield Static(
            "What is it to learn? Choose with \u2191 \u2193, enter takes it; all can be changed.",
            id="question",
        )
        yield Rows("presets", wrap=True)
        yield Static("", id="numbers", markup=False)
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
        said = f"The numbers are from {without_signs(preset.source)}"
        self.query_one("#source", Static).update(shown(said))
        # Two columns, read downwards.
        found = [f"{label:<24}{value:<14}" for label, value in numbers(preset)]
        half = -(-len(found) // 2)
        rows = zip_longest(found[:half], found[half:], fillvalue="")
        self.query_one("#numbers", Static).update(shown("\n".join(map("".join, rows))))

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        preset = self._presets[event.option_index]
        self.app.pop_screen()
        self.app.begin(Draft.new(preset.name))
