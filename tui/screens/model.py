"""The step `model`: the base model, what it is, and what this machine makes of it."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.timer import Timer
from textual.widgets import Static
from textual.worker import get_current_worker

from ...core.errors import Problem, WizardError
from ...core.families import registry as families
from ...core.hardware import Hardware, hardware, precision_advice
from ...core.places import size_text
from ...core.text import printable
from ...core.weights.download import Download, under_way
from ..walk.assessment import Assessment
from ..walk.bases import BaseView, look
from ..walk.figures import Reading, file_reading, memory_reading
from ..widgets.fields import OptionField
from ..widgets.figures import Figures
from ..widgets.form import Form
from ..widgets.nearby_models import NearbyModels
from ..widgets.text import shown
from .step import StepScreen

_PAUSE, _EVERY = 0.15, 1.0
"""Seconds after the last key; between two looks at a download."""
_CHOOSING = Reading(
    "Choose",
    "a general model",
    "The LoRA then works on many of its relatives. A narrow fine-tune teaches its own look too "
    "(Haoming). Photographs want a realistic one, drawings one for anime, with clip skip 2.",
)
_KEY, _FAMILY, _PRECISION = "model.base", "model.family", "model.precision"


class ModelScreen(StepScreen):
    """See `tui.walk.steps`."""

    name_of_step: ClassVar[str] = "model"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f2", "advised", "Precision", show=False),
        Binding("f3", "download", "Download", show=False),
        Binding("f4", "models", "Models"),
        Binding("f5", "look_again", "Look again", show=False),
    ]
    DEFAULT_CSS = """
    ModelScreen Figures { margin: 1 0 0 0; padding: 1 1 0 1; }
    ModelScreen.-wide Figures { height: 1fr; }
    ModelScreen.-narrow Figures { display: none; }
    ModelScreen Form { height: auto; max-height: 12; }
    ModelScreen #facts { height: auto; max-height: 4; padding: 0 1; }
    ModelScreen #advice { height: auto; max-height: 3; padding: 0 1; }
    ModelScreen #models { height: auto; padding: 0 1; color: $text-muted; }
    ModelScreen #nearby { height: auto; max-height: 1fr; min-height: 2; padding: 0 1; }
    ModelScreen.-wide #facts, ModelScreen.-wide #advice, ModelScreen.-wide #models {
        margin: 1 0 0 0;
    }
    ModelScreen.-wide #nearby { max-height: 10; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._view = BaseView("")
        self._hardware: Hardware | None = None
        self._download: Download | None = None
        self._pause: Timer | None = None

    def compose_step(self) -> ComposeResult:
        yield Form(self.step.options())
        yield Static("", id="facts", markup=False)
        yield Static("", id="advice", markup=False)
        yield Static("looking for models on this machine", id="models", markup=False)
        yield NearbyModels("nearby")
        yield Figures("", markup=False)

    def on_mount(self) -> None:
        super().on_mount()
        self.query_one(NearbyModels).find(self.app.draft.folder)
        self._ask_hardware()
        self._look(self.app.draft.shown(_KEY), chosen=False)

    # What is chosen ---------------------------------------------------------------------------

    @on(OptionField.Edited)
    def _base_edited(self, event: OptionField.Edited) -> None:
        if event.field.info.key == _KEY:
            if self._pause:
                self._pause.stop()
            self._pause = self.set_timer(_PAUSE, lambda: self._look(event.text, chosen=True))
        elif event.field.info.key == _PRECISION:
            self._show_advice()

    @on(NearbyModels.Taken)
    def _taken(self, event: NearbyModels.Taken) -> None:
        self.app.draft.enter(_KEY, event.base)
        self._show_draft()
        self._look(event.base, chosen=True)
        self.query_one(Form).focus_field(_KEY)

    @work(thread=True, exclusive=True, group="look")
    def _look(self, text: str, *, chosen: bool) -> None:
        worker, folder = get_current_worker(), self.app.draft.folder
        view = look(text, folder)
        if not worker.is_cancelled:
            self.app.call_from_thread(self._show_view, view, chosen)

    def _show_view(self, view: BaseView, chosen: bool) -> None:
        if not self.is_attached:
            return
        self._view = view
        draft = self.app.draft
        # What a person sets afterwards stays: it may be a family that is not recognised.
        if chosen and view.family and view.family != draft.value(_FAMILY):
            draft.put(_FAMILY, view.family)
            self._show_draft()
        known = self.app.assessment
        waited = known and known.base and known.base.download_bytes
        if known and waited and known.snapshot.text == draft.text and not view.to_download:
            self.app.assessing.look_again()  # it has come since
        if self._download is None and (begun := under_way(view.to_download)):
            self._follow(begun)
        self.refresh_bindings()
        self.query_one("#facts", Static).update(self._facts())

    def _facts(self) -> Content:
        view = self._view
        if self._download:
            return Content("")
        if view.to_download:
            known = self.app.assessment
            is_refused = known and any(problem.where == _KEY for problem in known.errors)
            words = "· F3 downloads it now. Otherwise it comes when the training starts."
            return Content("" if is_refused else words)
        if not view.family:
            return Content("")  # what it is instead stands beside the field
        if self._is_accepted():
            head = Content.styled(f"✓ {printable(view.title)}", "bold $success")
            head += shown(f"  recognised: {view.why}")
        else:
            head = shown(f"· Looks like {view.title}: {view.why}")
        return head + shown("\n  " + "; ".join(view.facts)) if view.facts else head

    def _is_accepted(self) -> bool:
        """Whether it was looked at as closely as the review does, and nothing is wrong with it."""
        known = self.app.assessment
        if known is None or known.snapshot.text != self.app.draft.text:
            return False
        return not any(problem.where in (_KEY, _FAMILY) for problem in known.errors)

    def _show_draft(self) -> None:
        self.query_one(Form).show_draft()
        self._show_advice()
        self.app.touch()

    def show_assessment(self, assessment: Assessment) -> None:
        """A field says the first thing that is wrong with it; only the rest is said below."""
        form = self.query_one(Form)
        form.show_problems(assessment.problems)
        beside = {field.info.key for field in form.fields}
        rest: list[Problem] = []
        for problem in assessment.problems:
            if problem.where not in beside:
                rest.append(problem)
            beside.discard(problem.where)
        super().show_assessment(replace(assessment, problems=tuple(rest)))
        self.query_one("#facts", Static).update(self._facts())
        figures = [_CHOOSING, memory_reading(assessment), file_reading(assessment)]
        self.query_one(Figures).show(figures, column=True)

    @on(NearbyModels.Found)
    def _nearby_found(self, event: NearbyModels.Found) -> None:
        words = f"F4: choose one of these {event.count}; enter takes it."
        self.query_one("#models", Static).update(words)

    # What this machine makes of it ------------------------------------------------------------

    @work(thread=True, exclusive=True, group="hardware")
    def _ask_hardware(self) -> None:
        worker, found = get_current_worker(), hardware()
        if not worker.is_cancelled:
            self.app.call_from_thread(self._show_hardware, found)

    def _show_hardware(self, found: Hardware) -> None:
        if self.is_attached:
            self._hardware = found
            self._show_advice()

    def _show_advice(self) -> None:
        if self._hardware is None:
            return
        advised, why = precision_advice(self._hardware.gpus)
        chosen = self.app.draft.shown(_PRECISION)
        trouble = f" ({self._hardware.trouble})" if self._hardware.trouble else ""
        line = shown(f"{why}{trouble}")
        if chosen != advised:
            head = Content.styled("! ", "$warning") + Content.styled(f"F2 sets {advised}: ", "bold")
            line = head + line
        self.query_one("#advice", Static).update(line)
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "advised":
            known = self._hardware
            wanted = self.app.draft.shown(_PRECISION)
            return known is not None and precision_advice(known.gpus)[0] != wanted
        if action == "download":
            return bool(self._view.to_download) and self._download is None
        return True

    def action_advised(self) -> None:
        """Take the precision that suits the GPU."""
        if self._hardware is not None:
            self.app.draft.put(_PRECISION, precision_advice(self._hardware.gpus)[0])
            self._show_draft()

    def action_models(self) -> None:
        """Go to the models that were found."""
        self.query_one(NearbyModels).focus()

    def action_look_again(self) -> None:
        """Look at the model and the folders anew, after something has changed outside."""
        self.app.assessing.look_again()
        self.query_one(NearbyModels).find(self.app.draft.folder)
        self._look(self.app.draft.shown(_KEY), chosen=False)

    # Downloading ------------------------------------------------------------------------------

    def action_download(self) -> None:
        """Download the base now, in a process that goes on when this screen is left."""
        family = str(self.app.draft.value(_FAMILY))
        if family in families.names():
            self._follow(Download(self._view.to_download, family))

    def _follow(self, download: Download) -> None:
        known = self.app.assessment
        total = known.base.download_bytes if known and known.base else 0
        self._download = download
        self.refresh_bindings()
        self._show_download(download, total)
        self._wait_for(download, total)

    @work(thread=True, group="download")
    def _wait_for(self, download: Download, total: int) -> None:
        worker, error = get_current_worker(), ""
        while not download.wait(_EVERY):
            if worker.is_cancelled:
                return
            self.app.call_from_thread(self._show_download, download, total)
        try:
            download.check()
        except WizardError as problem:
            error = f"{problem.title} ({problem.message}). {problem.remedy}"
        if not worker.is_cancelled:
            self.app.call_from_thread(self._download_ended, error)

    def _show_download(self, download: Download, total: int) -> None:
        if self.is_attached:
            came = size_text(download.bytes_came)
            share = f"{came} of {size_text(total)}" if total else came
            words = shown(f"· downloading {download.repository}: {share}. Go on meanwhile.")
            self.query_one("#facts", Static).update(words)

    def _download_ended(self, error: str) -> None:
        self._download = None
        if error:
            self.notify(printable(error), severity="error", markup=False)
        if self.is_attached:
            self.action_look_again()
