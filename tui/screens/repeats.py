"""The step `repeats`: how long it trains, to the step, and why."""

from __future__ import annotations

from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widgets import Input, Static

from ...core.config import RunConfig
from ...core.dataset.plan import DatasetPlan
from ...core.rules_of_thumb import explain
from ...core.schedule import Schedule
from ..walk import lengths
from ..walk.arithmetic import chain, counted, targets
from ..walk.assessment import Assessment
from ..widgets.aim import Aim
from ..widgets.concept_repeats import ConceptRepeats
from ..widgets.fields import field_id
from ..widgets.form import Form
from ..widgets.guides import Guides
from ..widgets.run_picture import RunPicture
from ..widgets.text import shown
from .step import StepScreen

_NO_PICTURES = (
    "The numbers come with the pictures: name their folder in the first step (Esc goes back). "
    "What you set here is kept."
)


class RepeatsScreen(StepScreen):
    """See `tui.walk.steps`."""

    name_of_step: ClassVar[str] = "repeats"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f2", "aim(0)", "Quick", show=False),
        Binding("f3", "aim(1)", "Standard", show=False),
        Binding("f4", "aim(2)", "Thorough", show=False),
        Binding("f5", "take('epochs')", "Take the epochs", show=False),
        Binding("f6", "take('repeats')", "Take the repeats", show=False),
        Binding("f7", "take_folders", "Take the folders' repeats over", show=False),
        Binding("f8", "put_back", "Put back", show=False),
    ]
    DEFAULT_CSS = """
    RepeatsScreen #total { height: auto; padding: 0 1; text-style: bold; }
    RepeatsScreen #arithmetic { padding: 0 1; scrollbar-size-vertical: 1; }
    RepeatsScreen #top { height: auto; }
    RepeatsScreen #fields { width: 31; height: auto; }
    RepeatsScreen.-wide #fields { width: 40; }
    RepeatsScreen Form { height: auto; }
    RepeatsScreen #fields Input { padding: 0; }
    RepeatsScreen .field-label { width: 22; padding: 0; }
    RepeatsScreen .field-problem { padding: 0; }
    RepeatsScreen #chain { width: 1fr; padding: 0 0 0 1; }
    RepeatsScreen #folders { color: $warning; display: none; }
    RepeatsScreen #folders.-said { display: block; }
    RepeatsScreen.-wide Aim, RepeatsScreen.-wide Guides, RepeatsScreen.-wide #picture {
        margin: 1 0 0 0;
    }
    RepeatsScreen #picture { height: auto; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._ways: dict[str, lengths.Solution] = {}
        self._back: list[tuple[str, Any]] = []

    def compose_step(self) -> ComposeResult:
        yield Static("", id="total", markup=False)
        with VerticalScroll(id="arithmetic", can_focus=False):
            with Horizontal(id="top"):
                with Vertical(id="fields"):
                    yield ConceptRepeats()
                    yield Form(self.step.options())
                yield Static("", id="chain", markup=False)
            yield Static("", id="folders", markup=False)
            yield Aim()
            yield Guides()
            yield RunPicture(id="picture")

    def on_mount(self) -> None:
        super().on_mount()
        limit = self.query_one(f"#{field_id(lengths.LIMIT)} Input", Input)
        limit.placeholder = "none"

    def show_assessment(self, assessment: Assessment) -> None:
        super().show_assessment(assessment)
        self._show_numbers()

    def _known(self) -> tuple[DatasetPlan, RunConfig, Schedule] | None:
        found = self.app.assessment
        if found and found.plan and found.config and found.schedule:
            return found.plan, found.config, found.schedule
        return None

    def _show_numbers(self) -> None:
        known, found = self._known(), self.app.assessment
        for name in ("Aim", "Guides", "#chain", "#picture"):
            self.query_one(name).display = known is not None
        if found is None or known is None:
            self._ways = {}
            self._show_folders("")
            self.query_one("#total", Static).update(_NO_PICTURES if found else "Counting ...")
            return
        plan, config, _ = known
        self._show_repeats_field(not lengths.concept_repeats(plan, config))
        self.query_one("#total", Static).update(shown(_total(found)))
        self.query_one("#chain", Static).update(shown("\n".join(chain(*known))))
        self.query_one(ConceptRepeats).show(lengths.concept_repeats(plan, config))
        self._show_folders(lengths.named_folders(plan, config))
        self.query_one(Aim).show_targets(targets(plan, config))
        self._show_ways()
        self.query_one(Guides).show(explain(plan, config))
        self.query_one(RunPicture).show(*known)

    def _show_repeats_field(self, shown: bool) -> None:
        # Concepts of their own repeats leave it nothing to decide.
        self.query_one(f"#{field_id(lengths.REPEATS)}").display = shown

    def _show_folders(self, words: str) -> None:
        folders = self.query_one("#folders", Static)
        folders.set_class(bool(words), "-said")
        folders.update(shown(f"! {words} F7 lists them." if words else ""))

    @on(Input.Changed, "#wanted-steps")
    def _show_ways(self) -> None:
        known, aim = self._known(), self.query_one(Aim)
        wanted = aim.wanted
        self._ways = {}
        if known and wanted is not None:
            plan, config, _ = known
            self._ways = {
                "epochs": lengths.by_epochs(wanted, plan, config),
                "repeats": lengths.by_repeats(wanted, plan, config),
            }
        aim.show_ways(self._ways.get("epochs"), self._ways.get("repeats"), _said(self._back))

    @on(ConceptRepeats.Edited)
    def _concept_edited(self, event: ConceptRepeats.Edited) -> None:
        lengths.put_concept_repeats(self.app.draft, event.number, event.repeats)
        self.app.touch()

    def action_aim(self, number: int) -> None:
        """Aim at a guide's length."""
        self.query_one(Aim).take_target(number)

    def action_take(self, way: str) -> None:
        """Take over what the aim asks of the epochs or the repeats."""
        solution = self._ways.get(way)
        if solution and not solution.obstacle:
            self._change(solution.changes)

    def action_take_folders(self) -> None:
        """List the N_name folders in the TOML, so that their repeats can be changed."""
        if known := self._known():
            plan, config, _ = known
            if lengths.named_folders(plan, config):
                self._change(lengths.folders_as_concepts(self.app.draft, plan, config))

    def action_put_back(self) -> None:
        """Undo what was taken over last."""
        if self._back:
            lengths.take_over(self.app.draft, self._back)
            self._back = []
            self._draft_changed()

    def _change(self, changes: Any) -> None:
        self._back = lengths.take_over(self.app.draft, changes)
        self._draft_changed()

    def _draft_changed(self) -> None:
        for form in self.query(Form):
            form.show_draft()
        self._show_ways()
        self.app.touch()


def _total(found: Assessment) -> str:
    assert found.schedule is not None
    schedule = found.schedule
    said = f"{counted(schedule.total_steps, 'step')} in {counted(schedule.epochs, 'epoch')}"
    if found.estimate and found.estimate.time:
        said += f"   time {found.estimate.time.text}"
    if found.snapshot.pending:
        said += "   (what cannot be used yet counts as its default)"
    return said


def _said(changes: list[tuple[str, Any]]) -> str:
    """What putting ``changes`` back brings back."""
    if any(key == lengths.CONCEPTS for key, _ in changes):
        return "the folders' repeats"
    words = [key.rpartition(".")[2].replace("_", " ") for key, _ in changes]
    values = ["" if value is None else f" {value}" for _, value in changes]
    return ", ".join(f"{word}{value}" for word, value in zip(words, values, strict=True))
