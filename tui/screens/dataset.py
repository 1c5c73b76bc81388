"""The step `dataset`: where the pictures are, what was found, what they show."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Button, Input, Static
from textual.worker import get_current_worker

from ...core.config import RunConfig
from ...core.config.config_problems import options
from ...core.dataset.archive_words import is_zip
from ...core.dataset.layout_words import counted
from ...core.dataset.plan import Sample
from ...core.errors import Mend, Problem, WizardError
from ..walk import dataset as step
from ..walk.assessment import Assessment
from ..widgets.bring import Bring
from ..widgets.concept_table import ConceptTable
from ..widgets.fields import OptionField
from ..widgets.findings import Findings
from ..widgets.lines import say
from ..widgets.path_input import PathInput
from ..widgets.picture_grid import PictureGrid
from ..widgets.subject import SubjectPanel
from ..widgets.text import shown
from ..widgets.unpacking import Unpacking
from .preparing import KEYS, PreparingStep

_FOLDER = "dataset.folder"
_IN_PANEL = ("captions.trigger_words", "dataset.regularization_folder", "dataset.exclude")


class DatasetScreen(PreparingStep):
    """At first only the question where the pictures are; what was found brings the rest."""

    name_of_step: ClassVar[str] = "dataset"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f4", "class_pictures", "Class pictures", show=False),
        Binding("f5", "look_again", "Again", tooltip="Look again"),
        Binding("f6", "copy_command", "Copy command", show=False),
        Binding("f8", "mend", "Mend", show=False),
    ]
    DEFAULT_CSS = """
    DatasetScreen #said { display: none; height: 1; color: $primary; }
    DatasetScreen.-found #said { display: block; }
    DatasetScreen #page { height: 1fr; scrollbar-size-vertical: 1; }
    DatasetScreen #status { height: auto; padding: 0 1; }
    DatasetScreen ConceptTable, DatasetScreen Findings { margin: 0 1; }
    DatasetScreen Findings { display: none; }
    DatasetScreen SubjectPanel { margin: 1 0 0 0; }
    DatasetScreen PictureGrid { height: 1fr; min-height: 10; margin: 1 1 0 1; }
    DatasetScreen ConceptTable, DatasetScreen SubjectPanel, DatasetScreen PictureGrid {
        display: none;
    }
    DatasetScreen.-found ConceptTable, DatasetScreen.-found SubjectPanel { display: block; }
    DatasetScreen.-found PictureGrid { display: block; }
    DatasetScreen.-narrow Bring .guide { display: none; }
    DatasetScreen.-found Bring, DatasetScreen.-packed Bring, DatasetScreen.-mendable Bring {
        display: none;
    }
    """

    _shown: Sequence[tuple[str, int]] = ()
    _pictures = 0
    """That were found."""
    _before = 0
    """That had been found when it was last asked to look again; 0 for another folder."""

    def compose_step(self) -> ComposeResult:
        """Everything, in the order in which it is decided."""
        draft = self.app.draft
        step.clear_placeholders(draft)
        with VerticalScroll(id="page", can_focus=False):
            info = options()[_FOLDER]
            yield OptionField(info, draft.shown(_FOLDER), label="Where are your pictures?")
            yield Static("", id="status", markup=False)
            yield Unpacking()
            yield ConceptTable()
            yield Findings()
            yield Bring(draft.folder)
            yield SubjectPanel()
            yield PictureGrid()

    def on_mount(self) -> None:
        path = self.query_one("#field-dataset-folder PathInput", PathInput)
        path.endings, path.counts, path.down_opens = (".zip",), True, True
        for field in self.query(PathInput):
            field.base = self.app.draft.folder
        say(self.query_one("#said", Static), KEYS)
        self._show_draft()
        path.focus()
        super().on_mount()

    def show_assessment(self, assessment: Assessment) -> None:
        """Show what was found."""
        plan = assessment.plan
        rows = step.concept_rows(plan)
        packed = self._packed is not None
        self.set_class(plan is not None, "-found")
        self.refresh_bindings()
        self.query_one(ConceptTable).show(rows)
        self._show_findings()
        self.query_one(SubjectPanel).show_plan()
        self._show_pictures(plan.samples if plan else ())
        if plan:
            self._pictures = sum(row.summary.images for row in rows)
            more = self._pictures - (self._before or self._pictures)
            since = f" ({more:+} since the last look)" if more else ""
            self._say(f"Found {step.found_text(plan)}{since}.")
        elif any(map(step.is_file, assessment.problems)) and assessment.config:
            self._count(assessment.config)
        elif not packed:
            self._say("")
        self._show_steps()

    @work(thread=True, exclusive=True, group="count")
    def _count(self, config: RunConfig) -> None:
        """What is there beside the broken pictures: perhaps an upload goes on."""
        worker, found = get_current_worker(), step.named_pictures(config)
        if not worker.is_cancelled:
            self.app.call_from_thread(self._say, f"{counted(found, 'picture')} so far.")

    def _show_pictures(self, samples: Sequence[Sample]) -> None:
        """Thumbnails; nothing moves while the files stay the same."""
        known = [(item.id, item.modified_ns) for item in samples]
        if known != self._shown:
            self._shown = known
            items = [(item.id.rpartition("/")[2], item.path) for item in samples]
            self.query_one(PictureGrid).show(items)

    def show_progress(self, done: int, total: int) -> None:
        """Show how far the pictures are read."""
        self._say(f"Reading pictures: {done} of {total}")

    def focus_field(self, key: str) -> None:
        """Go to the field of an option, where a problem was found."""
        for field in self.query(OptionField):
            if field.info.key == key:
                field.input.focus()

    def action_look_again(self) -> None:
        """Look at the folder anew: perhaps an upload goes on."""
        self._say("Looking again ...")
        self._before = self._pictures
        self._show_packed()
        self.app.touch()

    def action_copy_command(self) -> None:
        """Put the upload command into the clipboard of the person's own terminal."""
        command = self.query_one(Bring).command
        if command:
            self.app.copy_to_clipboard(command)
            self.notify("Copied, if your terminal allows it. Otherwise select it with shift held.")

    def action_class_pictures(self) -> None:
        """Draw pictures of the class with the base model."""
        from .class_pictures import ClassPicturesScreen

        self.app.push_screen(ClassPicturesScreen())

    def action_mend(self) -> None:
        """Do what is offered first."""
        unpacking = self.query_one(Unpacking)
        offer = self.query_one(Findings).first
        if unpacking.is_ready:
            unpacking.unpack()
        elif offer:
            self._mend(offer)

    def action_back(self) -> None:
        """Go back; from an unpacking under way, only back to the question."""
        if not self.query_one(Unpacking).cancel():
            super().action_back()

    @property
    def _packed(self) -> Path | None:
        """The zip that stands where a folder should."""
        text = self.app.draft.shown(_FOLDER)
        return step.path_of(self.app.draft, text) if is_zip(Path(text)) else None

    def _to_say(self, problems: tuple[Problem, ...]) -> list[Problem]:
        nothing_yet = not self.app.draft.shown(_FOLDER) and not self.app.draft.value(
            "dataset.concepts"
        )
        is_being_typed = self.query_one("#field-dataset-folder PathInput", PathInput).is_open
        hidden = nothing_yet or is_being_typed or self._packed is not None
        found = [
            item
            for item in self.step.problems(problems)
            if not (hidden and item.where == _FOLDER)
            and (item.mends or item.where not in _IN_PANEL)
        ]
        return [*step.settled(found), *step.about_list(self.app.draft)]

    def _show_findings(self) -> None:
        findings = self.query_one(Findings)
        if self.app.assessment:
            findings.show(self._to_say(self.app.assessment.problems))
        # Where something is offered, the pictures have come.
        self.set_class(findings.first is not None, "-mendable")

    def _say(self, text: str) -> None:
        status = self.query_one("#status", Static)
        status.update(shown(text))
        status.display = bool(text)

    def _show_draft(self) -> None:
        listed = self.app.draft.value("dataset.concepts")
        self.query_one("#field-dataset-folder PathInput", PathInput).placeholder = (
            "in the folders listed below"
            if listed
            else "a folder or a .zip on this machine; ~/ is your home"
        )
        self.query_one("#field-dataset-folder", OptionField).show_text(
            self.app.draft.shown(_FOLDER)
        )
        self.query_one(SubjectPanel).show_draft()
        self._show_packed()

    def _show_packed(self) -> None:
        packed = self._packed
        self.set_class(packed is not None, "-packed")
        self.query_one(Unpacking).look(packed)

    def _mend(self, offer: Mend) -> None:
        step.mend(self.app.draft, offer)
        self.changed()

    def changed(self) -> None:
        """The draft has changed, not by a field."""
        self._before = 0
        self._show_draft()
        self.app.touch()

    @on(OptionField.Edited)
    def _edited(self, event: OptionField.Edited) -> None:
        if event.field.info.key == _FOLDER:
            self.app.draft.enter(_FOLDER, event.text)
            self._before = 0
            self._show_packed()
            self.app.touch()
        else:
            self.query_one(SubjectPanel).show_plan()

    def on_descendant_blur(self) -> None:
        """Say what was held back while the path was typed."""
        self._show_findings()

    @on(Findings.Offered)
    def _offered(self, event: Findings.Offered) -> None:
        self._mend(event.mend)

    @on(Button.Pressed, "#demo-pictures")
    def _demo_chosen(self) -> None:
        self.app.draft.enter(_FOLDER, step.DEMO_PICTURES)
        self.changed()
        self.focus_field(_FOLDER)

    @on(SubjectPanel.PresetWanted)
    def _preset_wanted(self, event: SubjectPanel.PresetWanted) -> None:
        try:
            self.app.draft.apply(event.preset)
        except WizardError as error:
            self.notify(error.title, severity="error", markup=False)
        step.clear_placeholders(self.app.draft)
        self.changed()

    @on(Unpacking.Done)
    def _unpacked(self, event: Unpacking.Done) -> None:
        self.app.draft.enter(_FOLDER, str(event.folder))
        self.changed()
        self.focus_field(_FOLDER)

    @on(Input.Submitted, "#field-dataset-folder Input")
    def _path_entered(self) -> None:
        self.query_one(Unpacking).offer_focus()
