"""The step `captions`: one picture after the other, with its words beside it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.containers import Horizontal
from textual.widgets import ContentSwitcher, Input, Static, TextArea

from ...core.dataset.caption_files import Change, Outcome, caption_file
from ...core.dataset.captions import CaptionError
from ...core.errors import WizardError
from ..walk import captions, steps
from ..walk.assessment import Assessment
from ..widgets.captioned_picture import CaptionEditor
from ..widgets.form import Form
from ..widgets.picture import Picture
from ..widgets.text import shown
from .captions_job import CaptionsJob
from .captions_layout import NO_PICTURES

_FOR_PICTURES = frozenset({"move", "next_without", "find", "write", "tags", "undo", "enlarge"})


class CaptionsScreen(CaptionsJob):
    """See `tui.walk.steps`."""

    name_of_step: ClassVar[str] = "captions"

    def __init__(self) -> None:
        super().__init__()
        self._list = captions.CaptionList()
        self._place = 0
        self._picture: Path | None = None
        self._news = ""
        self._read = ""
        """The caption of the picture that is shown, as its file has it."""

    def on_mount(self) -> None:
        self.add_class("-one-by-one")
        super().on_mount()

    def on_screen_resume(self) -> None:
        super().on_screen_resume()
        # What was found out while another screen was in front.
        if self.app.assessment and self._picture is not None:
            self.show_assessment(self.app.assessment)

    def on_screen_suspend(self) -> None:
        self._save()

    def on_unmount(self) -> None:
        self._save()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that are for the pictures are only theirs."""
        if action in _FOR_PICTURES:
            return self.is_mounted and self.query_one(ContentSwitcher).current == "one-by-one"
        return super().check_action(action, parameters)

    def show_assessment(self, assessment: Assessment) -> None:
        """Take the pictures of a new plan; what is being typed stays."""
        super().show_assessment(assessment)
        switcher = self.query_one(ContentSwitcher)
        if assessment.plan is None or assessment.config is None:
            wrong = steps.find("dataset").problems(assessment.errors)
            said = "\n".join(f"{item.message} {item.remedy}" for item in wrong)
            self.query_one("#nothing", Static).update(shown(f"{NO_PICTURES}\n\n{said}"))
            if switcher.current == "one-by-one":
                switcher.current = "nothing"
            return
        self._list.take(assessment.plan, assessment.config)
        if switcher.current == "nothing":
            switcher.current = "one-by-one"
            self._editor.focus()
        if self._picture is None:
            self._begin()
        else:
            self._place = self._list.place_of(self._picture) or 0
            self._show_place()
        self._show_news()

    def action_next(self) -> None:
        """Save, and go to the next step."""
        if self._save():
            super().action_next()

    def action_back(self) -> None:
        """Back from the options, or, after saving, from the step."""
        if self.query_one(ContentSwitcher).current == "options":
            self.action_options()
        elif self._save():
            super().action_back()

    def action_move(self, distance: int) -> None:
        """To another picture; what was typed is saved."""
        if 0 <= self._place + distance < len(self._list):
            self._news = ""
            if self._save():
                self._show(self._place + distance)
                self._show_news()

    def action_next_without(self) -> None:
        """To the next picture without a caption."""
        if not self._save():
            return
        found = self._list.next_without(self._place)
        if found is None:
            self.tell("Every picture has a caption.")
        else:
            self._show(found)

    def action_find(self) -> None:
        """To the filter."""
        self.query_one("#filter").focus()

    def action_options(self) -> None:
        """Between the pictures and the options that count for all captions."""
        switcher = self.query_one(ContentSwitcher)
        to_options = switcher.current != "options"
        away = "one-by-one" if self._list.samples else "nothing"
        switcher.current = "options" if to_options else away
        self.set_class(not to_options, "-one-by-one")
        for form in self.query(Form):
            form.show_draft()
        if to_options:
            self.focus_next("#options *")
        else:
            self._editor.focus()

    def focus_field(self, key: str) -> None:
        """To an option, also when it is not beside the pictures."""
        beside = self.query_one("#fields", Horizontal).query_one(Form)
        if beside.focus_field(key):
            return
        if self.query_one(ContentSwitcher).current != "options":
            self.action_options()
        self.query_one("#options", Form).focus_field(key)

    def action_enlarge(self) -> None:
        """The picture in all of the terminal."""
        self.query_one(Picture).action_enlarge()

    def action_write(self) -> None:
        """Write captions for many pictures at once."""
        if self._list.samples and self._save():
            from .write_captions import WriteCaptions

            self.app.push_screen(WriteCaptions(self._list, self._files), self._written)

    def action_tags(self) -> None:
        """Count, prune and change the words of all captions."""
        if self._list.samples and self._save():
            from .tags import TagsScreen

            self.app.push_screen(TagsScreen(), self._show_written)

    def action_undo(self) -> None:
        """Bring back what the last change has replaced."""
        self.undo_last(self._files)

    def undone(self, change: Change, outcome: Outcome) -> None:
        self._list.remember(outcome.written.items())
        left = f" {len(outcome.left)} were changed since and stay." if outcome.left else ""
        only = next(iter(outcome.written), None)
        place = self._list.place_of(only) if only and len(outcome.written) == 1 else self._place
        self._picture = None
        self._show(self._place if place is None else place)
        self.tell(f"Undone: {change.title}.{left}")
        self.app.touch()

    def captions_written(self) -> None:
        if self._editor.text == self._read:
            self._list.forget()
            self._show_written(None)
        self.app.touch()

    def _written(self, outcome: Outcome | None) -> None:
        if outcome is None:
            self.captions_written()
        elif outcome.written:
            self._show_written(outcome.written)
            self.tell(f"{len(outcome.written)} captions written; ctrl+z brings the old ones back.")
            self.app.touch()

    def _show_written(self, texts: Mapping[Path, str] | None) -> None:
        self._list.remember((texts or {}).items())
        self._picture = None
        self._show(self._place)

    @property
    def _files(self) -> captions.CaptionFiles:
        return captions.files_of(self.app.draft, self._list.samples)

    def _begin(self) -> None:
        """At the first picture; where the connection was cut in the middle of one, there."""
        kept = captions.unsaved(self.app.draft)
        place = self._list.place_of(kept[0]) if kept else None
        self._show(place or 0)
        if kept and place is not None and kept[1] != self._read:
            self._editor.text = kept[1]
            self._editor.move_cursor(self._editor.document.end)

    def _show(self, place: int) -> None:
        """Show a picture and its caption as it stands in its file."""
        if not len(self._list):
            self._picture = None
            self._show_place()
            return
        self._place = max(0, min(place, len(self._list) - 1))
        sample = self._list.sample(self._place)
        if sample.path == self._picture:
            self._show_place()
            return
        self._picture = sample.path
        try:
            self._read = self._list.read(sample)
        except CaptionError as error:
            self._read = ""
            self.tell(f"{caption_file(sample.path).name} {error}")
        self._list.remember([(sample.path, self._read)])
        self._pane.open(sample, self._read)
        self._show_place()

    def _show_place(self) -> None:
        if self._picture is None or not len(self._list):
            self._pane.show_none()
            return
        self._pane.show_facts(self._list.sample(self._place), self._place, len(self._list))
        self._show_trained()

    def _show_trained(self) -> None:
        sample = self._list.sample(self._place)
        self._pane.show_trained(self._list.trained(sample, self._editor.text))

    def _save(self) -> bool:
        """Write what was typed, if it was; False when that is impossible."""
        text = self._list.as_written(self._editor.text)
        if self._picture is None or text == self._read:
            self._forget_unsaved()
            return True
        try:
            outcome = captions.save(self._files, self._picture, text, self._read)
        except WizardError as error:
            self.tell(f"{error.title}: {error.message} {error.remedy}")
            return False
        self._read = text
        self._list.remember([(self._picture, text)])
        self._forget_unsaved()
        if outcome.written:
            self.tell(f"Saved {caption_file(self._picture).name}; ctrl+z undoes.")
            self.app.touch()
        return True

    def _forget_unsaved(self) -> None:
        self.app.draft.note(captions.UNSAVED, "")

    def tell(self, text: str) -> None:
        self._news = text
        self._show_news()

    def _show_news(self) -> None:
        """What was done last, else how many captions there are."""
        text = self._news or (self._list.summary() if self._list.samples else "")
        for told in self.query("#told").results(Static):
            told.update(shown(text))

    @on(TextArea.Changed, "#caption")
    def _typed(self, event: TextArea.Changed) -> None:
        event.stop()
        if self._picture is not None:
            captions.keep_unsaved(self.app.draft, self._picture, event.text_area.text)
            self._show_trained()

    @on(CaptionEditor.Entered)
    def _caption_entered(self) -> None:
        if self._place + 1 < len(self._list):
            self.action_move(1)
        elif self._save():
            self.tell("Saved. That was the last one; ctrl+n goes on.")

    @on(CaptionEditor.NothingToUndo)
    def _nothing_typed(self) -> None:
        self.action_undo()

    @on(Input.Changed, "#filter")
    def _filtered(self, event: Input.Changed) -> None:
        event.stop()
        if self._save():
            self._list.filter(event.value)
            place = self._list.place_of(self._picture) if self._picture else 0
            self._show(place or 0)

    @on(Input.Submitted, "#filter")
    def _found(self, event: Input.Submitted) -> None:
        # Not to the next field, as from every other.
        event.prevent_default().stop()
        self._editor.focus()
