"""The step `parameters`: the preset, the settings that matter, and all others where asked for."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Input, Static

from ...core.templates import templates
from ..walk.dataset import clear_placeholders
from ..walk.figures import (
    Reading,
    disk_reading,
    file_reading,
    memory_reading,
    steps_reading,
    time_reading,
)
from ..walk.settings import arranged, headings
from ..widgets.form import Form
from ..widgets.text import SafeInput, shown
from .form_step import FormStep
from .other_preset import OtherPresetScreen


class ParametersScreen(FormStep):
    """See `tui.walk.steps`."""

    name_of_step: ClassVar[str] = "parameters"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f2", "presets", "Presets", show=False),
        Binding("f3,slash", "find", "Find", key_display="/"),
        Binding("f4", "all", "All", tooltip="All settings"),
    ]
    DEFAULT_CSS = """
    ParametersScreen #preset { height: auto; max-height: 2; padding: 0 1; color: $text-muted; }
    ParametersScreen #find { display: none; }
    ParametersScreen.-finding #find { display: block; }
    """

    def compose_step(self) -> ComposeResult:
        self._first, self._rest = arranged(self.step.options())
        yield Static("", id="preset", markup=False)
        yield SafeInput(placeholder="words of a setting; esc ends", id="find", compact=True)
        yield from super().compose_step()

    def make_form(self) -> Form:
        """Only the settings that matter; the rest comes when asked for."""
        return Form(self._first)

    def on_mount(self) -> None:
        super().on_mount()
        self._show_preset()

    def figures(self) -> list[Reading]:
        """What follows from the settings."""
        known = self.app.assessment
        return [
            file_reading(known),
            memory_reading(known),
            time_reading(known),
            steps_reading(known),
            disk_reading(known),
        ]

    async def action_all(self) -> None:
        """Show every setting, and go to the first of the rest."""
        await self._show_rest()
        fields = self.form.fields
        # Once it has a place, so that it is brought into view.
        self.call_after_refresh(fields[min(len(self._first), len(fields) - 1)].input.focus)

    async def action_find(self) -> None:
        """Look for a setting by typing."""
        # First, so that what is typed on the way goes there and not into a setting.
        self.add_class("-finding")
        find = self.query_one("#find", Input)
        self.set_focus(find)
        await self._show_rest()
        self.form.find(find.value)

    async def focus_field(self, key: str) -> None:
        """Go to a field, which may be among those that are not shown yet."""
        if any(info.key == key for info in self._rest):
            await self._show_rest()
        self.form.focus_field(key)

    def action_back(self) -> None:
        """End the search; the step before if there is none."""
        if not self.has_class("-finding"):
            super().action_back()
            return
        self.remove_class("-finding")
        self.query_one("#find", Input).value = ""
        self.form.fields[0].input.focus()

    def action_presets(self) -> None:
        """Choose another preset."""
        self.app.push_screen(OtherPresetScreen(self.app.draft), self._preset_chosen)

    def _preset_chosen(self, name: str | None) -> None:
        if name:
            self.app.draft.apply(name)
            clear_placeholders(self.app.draft)
            self.form.show_draft()
            self._show_preset()
            self.app.touch()

    @on(Input.Changed, "#find")
    def _looked_for(self, event: Input.Changed) -> None:
        event.stop()
        self.form.find(event.value)

    @on(Input.Submitted, "#find")
    def _found(self, event: Input.Submitted) -> None:
        event.stop()
        first = next((field for field in self.form.fields if field.display), None)
        if first is not None:
            first.input.focus()

    async def _show_rest(self) -> None:
        rest, self._rest = self._rest, []
        if rest:
            await self.form.extend(rest, headings(rest))

    def _show_preset(self) -> None:
        draft = self.app.draft
        known = {template.name: template for template in templates()}
        preset = known.get(draft.template)
        if preset is None:
            words = "Your own TOML. F2 fills in what it leaves open from a preset."
        else:
            changed = sum(info.key.startswith(_OURS) for info, _, _ in draft.differences())
            yours = f" {changed} of your own." if changed else ""
            words = f"Preset: {preset.title} (F2 others).{yours} {preset.summary}"
        self.query_one("#preset", Static).update(shown(words))


_OURS = ("network.", "optimizer.", "loss.", "training.", "dataset.")
