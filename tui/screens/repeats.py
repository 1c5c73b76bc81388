"""The step `repeats`: how long it trains, to the step, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widgets import Input, Static
from textual.worker import get_current_worker

from ...core.config import RunConfig
from ...core.config.config_problems import options
from ...core.dataset.plan import DatasetPlan
from ...core.rules_of_thumb import RuleOfThumb, explain
from ...core.schedule import Schedule
from ..walk import lengths
from ..walk.arithmetic import BucketShare, bucket_shares, chain, counted, far_too_long, targets
from ..walk.assessment import Assessment
from ..widgets.aim import Aim
from ..widgets.concept_repeats import ConceptRepeats
from ..widgets.fields import field_id
from ..widgets.form import Form
from ..widgets.guides import Guides
from ..widgets.lines import say
from ..widgets.run_picture import RunPicture
from ..widgets.text import shown
from .step import StepScreen

_NO_PICTURES = (
    "The numbers come with the pictures: name their folder in the first step (Esc goes back). "
    "What you set here is kept."
)


Known = tuple[DatasetPlan, RunConfig, Schedule]


@dataclass(frozen=True)
class _Numbers:
    """What is counted beside the typing."""

    known: Known
    wanted: int | None
    chain: Sequence[str]
    rules: Sequence[RuleOfThumb]
    shares: Sequence[BucketShare]
    ways: Mapping[str, lengths.Solution]

    @classmethod
    def of(cls, known: Known, wanted: int | None) -> _Numbers:
        plan, config, _ = known
        ways: dict[str, lengths.Solution] = {}
        if wanted is not None:
            ways["epochs"] = lengths.by_epochs(wanted, plan, config)
            ways["repeats"] = lengths.by_repeats(wanted, plan, config)
        shares = bucket_shares(plan, config)
        return cls(known, wanted, chain(*known), explain(plan, config), shares, ways)


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
    RepeatsScreen.-narrow #fields OptionField > * { margin: 0 0 0 23; }
    RepeatsScreen.-narrow #fields .field-problem { margin: 0 0 0 1; }
    RepeatsScreen Form { height: auto; }
    RepeatsScreen #fields Input { padding: 0; }
    RepeatsScreen #fields .field-label { width: 26; padding: 0 1; }
    RepeatsScreen.-narrow #fields .field-label { width: 23; }
    RepeatsScreen #fields .field-problem { padding: 0; }
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
        self._ways: Mapping[str, lengths.Solution] = {}
        self._back: list[tuple[str, Any]] = []
        self._taking = False
        """Whether the better way is taken over as soon as it is counted."""

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
        limit = self.query_one(f"#{field_id(lengths.LIMIT)} Input", Input)
        limit.placeholder = "none"

    def show_assessment(self, assessment: Assessment) -> None:
        super().show_assessment(assessment)
        self._show_numbers()

    def _known(self) -> Known | None:
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
            say(self.query_one("#total", Static), _NO_PICTURES if found else "Counting ...")
            return
        plan, config, schedule = known
        concepts = lengths.concept_repeats(plan, config)
        say(self.query_one("#total", Static), shown(_total(found)))
        self._show_concepts([concept.name for concept in concepts])
        # Concepts with repeats of their own leave the option nothing to decide.
        of_all = self.query_one(f"#{field_id(lengths.REPEATS)}")
        of_all.display = not concepts
        if concepts and (self.focused is None or of_all in self.focused.ancestors):
            # What is typed must not go where nobody sees it.
            self.call_after_refresh(self.query_one(ConceptRepeats).focus_first)
        aims = targets(plan, config)
        self._show_folders(
            lengths.named_folders(plan, config), far_too_long(schedule.total_steps, aims)
        )
        self.query_one(Aim).show_targets(aims)
        self._count(known, self.query_one(Aim).wanted)

    def _show_concepts(self, names: Sequence[str]) -> None:
        draft, keys = self.app.draft, [lengths.repeats_key(at) for at in range(len(names))]
        fields = self.query_one(ConceptRepeats)
        fields.show(names, [draft.shown(key) for key in keys])
        fields.show_problems([draft.problem(key) for key in keys])

    def _show_folders(self, words: str, too_long: str = "") -> None:
        folders = self.query_one("#folders", Static)
        lines = [f"! {words} Press F7."] if words else []
        lines += [f"! {too_long}"] if too_long else []
        folders.set_class(bool(lines), "-said")
        say(folders, shown("\n".join(lines)))

    @on(Input.Submitted, "#wanted-steps")
    def _entered_aim(self) -> None:
        self._aim()

    @on(Input.Changed, "#wanted-steps")
    def _aimed(self) -> None:
        self._show_ways({})
        if known := self._known():
            self._count(known, self.query_one(Aim).wanted)

    @work(thread=True, exclusive=True, group="arithmetic")
    def _count(self, known: Known, wanted: int | None) -> None:
        # With tens of thousands of pictures it takes too long for a key.
        worker, numbers = get_current_worker(), _Numbers.of(known, wanted)
        if not worker.is_cancelled:
            self.app.call_from_thread(self._show_counted, numbers)

    def _show_counted(self, numbers: _Numbers) -> None:
        if not self.is_attached or not self._is_current(numbers.known):
            return
        say(self.query_one("#chain", Static), shown("\n".join(numbers.chain)))
        self.query_one(Guides).show(numbers.rules)
        self.query_one(RunPicture).show(numbers.known[2], numbers.shares)
        if numbers.wanted == self.query_one(Aim).wanted:
            self._show_ways(numbers.ways)
            if self._taking and numbers.ways:
                self._taking = False
                self.action_take(self._best)

    def _is_current(self, known: Known) -> bool:
        now = self._known()
        return now is not None and now[0] is known[0] and now[1] is known[1]

    def _show_ways(self, ways: Mapping[str, lengths.Solution]) -> None:
        self._ways = ways
        best = self._best
        done = bool(best) and lengths.is_set(self.app.draft, ways[best])
        self.query_one(Aim).show_ways(ways, best, _said(self._back), done=done)

    @property
    def _best(self) -> str:
        ways = self._ways
        return lengths.better(ways["epochs"], ways["repeats"]) if ways else ""

    @on(ConceptRepeats.Edited)
    def _concept_edited(self, event: ConceptRepeats.Edited) -> None:
        self.app.draft.enter(lengths.repeats_key(event.number), event.text)
        self._show_concepts(self.query_one(ConceptRepeats).names)
        self.app.touch()

    def action_aim(self, number: int) -> None:
        """Make it as long as a guide says."""
        self.query_one(Aim).take_target(number)
        self._aim()

    def _aim(self) -> None:
        # What was typed last may still be to be counted.
        self._taking = self.query_one(Aim).wanted is not None
        if known := self._known():
            self._count(known, self.query_one(Aim).wanted)

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
        # Until it is counted anew, a second key would take over what no longer holds.
        self._show_ways({})
        self.app.touch()


def _total(found: Assessment) -> str:
    assert found.schedule is not None
    schedule = found.schedule
    said = f"{counted(schedule.total_steps, 'step')} in {counted(schedule.epochs, 'epoch')}"
    if found.estimate and found.estimate.time:
        said += f"   {found.estimate.time.text}"
    if found.snapshot.pending:
        said += "   (what cannot be used yet counts as its default)"
    return said


def _said(changes: list[tuple[str, Any]]) -> str:
    """What putting ``changes`` back brings back."""
    if any(key == lengths.CONCEPTS for key, _ in changes):
        return "the folders' repeats"
    known = options()
    values = {key: known[key].default if value is None else value for key, value in changes}
    return ", ".join(
        f"{key.rpartition('.')[2].replace('_', ' ')} {value:,}"
        for key, value in values.items()
        if value is not None
    )
