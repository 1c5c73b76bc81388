"""Captions for many pictures at once: shown first, then written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import ClassVar, cast

from pydantic import ValidationError
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Button, Select, Static
from textual.worker import get_current_worker

from ...captioners import registry
from ...captioners.base import LightSpec
from ...core.config import values
from ...core.config.options import Section
from ...core.dataset.caption_files import CaptionFiles, Mode, Outcome
from ...core.errors import WizardError
from ..walk.captions import CaptionList, Proposal, gather
from ..widgets.fields import OptionField
from ..widgets.text import clipped, shown
from .dialog import Dialog

_TRIGGER_WORDS = "trigger words"
_MODES: list[tuple[str, Mode]] = [
    ("only pictures without a caption", "missing"),
    ("all; what is there is replaced", "overwrite"),
    ("all; added behind what is there", "append"),
]
_MOST_SHOWN = 200


class _StoppedError(Exception):
    """Something else is wanted now."""


class WriteCaptions(Dialog[Outcome | None]):
    """Ends with what was written; None when nothing was."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "Back")]
    DEFAULT_CSS = """
    WriteCaptions > Vertical { width: 96%; height: 90%; padding: 0 1; }
    WriteCaptions .row { height: 1; }
    WriteCaptions .row > Static { width: 27; padding: 0 1; }
    WriteCaptions Select { width: 1fr; }
    WriteCaptions #options { height: auto; }
    WriteCaptions #preview { height: 1fr; border: round $panel; }
    WriteCaptions #done { height: auto; max-height: 2; padding: 0 1; }
    WriteCaptions #buttons { height: 1; }
    WriteCaptions #buttons Button { margin: 0 1; }
    """

    def __init__(self, captions: CaptionList, files: CaptionFiles) -> None:
        super().__init__()
        self._captions = captions
        self._files = files
        self._proposal: Proposal | None = None
        self._is_writing = False
        found = (registry.find(name) for name in registry.names())
        # One that needs a process of its own is no matter of a moment.
        self._specs = {spec.name: spec for spec in found if isinstance(spec, LightSpec)}

    def compose(self) -> ComposeResult:
        sources = [(spec.title, name) for name, spec in self._specs.items()]
        sources.append(("Trigger words, put in front of what is there", _TRIGGER_WORDS))
        with Vertical():
            with Horizontal(classes="row"):
                yield Static("Captions from")
                yield Select(sources, allow_blank=False, compact=True, id="source")
            with Horizontal(classes="row", id="mode-row"):
                yield Static("For")
                yield Select(_MODES, allow_blank=False, compact=True, id="mode")
            yield Vertical(id="options")
            with VerticalScroll(id="preview"):
                yield Static("", id="proposed", markup=False)
            yield Static("", id="done", markup=False)
            with Horizontal(id="buttons"):
                yield Button("Write", id="write", variant="primary", compact=True, disabled=True)
                yield Button("Back", id="leave", compact=True)

    def action_leave(self) -> None:
        """Back; a write that is under way ends after the file it is at."""
        self.workers.cancel_node(self)
        if not self._is_writing:
            self.dismiss(None)

    @property
    def _source(self) -> str:
        return str(self.query_one("#source", Select).value)

    @property
    def _mode(self) -> Mode:
        return cast(Mode, self.query_one("#mode", Select).value)

    @on(Select.Changed, "#source")
    async def _source_chosen(self) -> None:
        spec = self._specs.get(self._source)
        self.query_one("#mode-row").display = spec is not None
        place = self.query_one("#options")
        await place.remove_children()
        if spec:
            await place.mount_all(
                OptionField(info, values.as_text(info, info.default))
                for info in spec.option_infos()
            )
        self._look()

    @on(Select.Changed, "#mode")
    @on(OptionField.Edited)
    def _look(self) -> None:
        """Say what would be written."""
        self._proposal = None
        self.query_one("#write", Button).disabled = True
        spec = self._specs.get(self._source)
        if spec is None:
            captions = self._captions.with_trigger_words()
            self._show(Proposal("the trigger words", captions, {}, "overwrite"))
            return
        chosen = self._options(spec)
        if chosen is not None and (lacks := spec.missing(chosen)):
            self._say(" ".join(lack.words for lack in lacks))
        elif chosen is not None:
            pictures = [
                sample.path
                for sample in self._captions.samples
                if self._mode != "missing" or not self._captions.text(sample)
            ]
            self._ask(spec, chosen, pictures, self._mode)

    def _options(self, spec: LightSpec) -> Section | None:
        """The options as they stand in the fields; None, and said, when one is wrong."""
        given: dict[str, object] = {}
        for field in self.query(OptionField):
            value = values.parse(field.info, field.text)
            if value is not None:
                given[field.info.key] = value
        try:
            return spec.options.model_validate(given)
        except ValidationError as error:
            first = error.errors()[0]
            self._say(f"{first['loc'][0]}: {first['msg']}")
            return None

    @work(thread=True, exclusive=True, group="captions")
    def _ask(self, spec: LightSpec, options: Section, pictures: list[Path], mode: Mode) -> None:
        look = self._looker(f"looked at {{}} of {len(pictures)}")
        try:
            found = spec.create(options).caption(pictures)
            proposal = gather(f"captions from {spec.title.lower()}", found, mode, look)
        except _StoppedError:
            return
        except WizardError as error:
            self.app.call_from_thread(self._say, f"{error.title}: {error.message} {error.remedy}")
        else:
            if not get_current_worker().is_cancelled:
                self.app.call_from_thread(self._show, proposal)

    @on(Button.Pressed, "#write")
    def _write_pressed(self) -> None:
        if self._proposal and not self._is_writing:
            self._is_writing = True
            self.query_one("#write", Button).disabled = True
            self._write(self._proposal)

    @work(thread=True, exclusive=True, group="captions")
    def _write(self, proposal: Proposal) -> None:
        look = self._looker(f"written {{}} of {len(proposal.captions)}")
        outcome: Outcome | None = None
        trouble = ""
        try:
            outcome = self._files.write(
                proposal.captions,
                proposal.title,
                mode=proposal.mode,
                progress=lambda done, _: look(done),
            )
        except _StoppedError:
            trouble = "Stopped. What was written until then is undone with ctrl+z."
        except WizardError as error:
            trouble = f"{error.title}: {error.message} {error.remedy}"
        self.app.call_from_thread(self._finish, outcome, trouble)

    def _finish(self, outcome: Outcome | None, trouble: str) -> None:
        self._is_writing = False
        if outcome is not None and not outcome.left:
            self.dismiss(outcome)
        elif outcome is not None:
            reasons = "\n".join(f"{path.name} {why}" for path, why in outcome.left.items())
            self._say(f"{len(outcome.written)} written, {len(outcome.left)} not: {reasons}")
        else:
            self._say(trouble)

    @on(Button.Pressed, "#leave")
    def _leave_pressed(self) -> None:
        self.action_leave()

    def _looker(self, words: str) -> Callable[[int], None]:
        """Says in a thread how far it is; raises when that is no longer wanted."""
        worker = get_current_worker()

        def look(done: int) -> None:
            if worker.is_cancelled:
                raise _StoppedError
            if done % 16 == 0:
                self.app.call_from_thread(self._say, words.format(done))

        return look

    def _show(self, proposal: Proposal) -> None:
        self._proposal = proposal
        lines = [
            shown(f"{clipped(path.name, 24):<24}  {text}", limit=300)
            for path, text in list(proposal.captions.items())[:_MOST_SHOWN]
        ]
        lines += [
            shown(f"{clipped(path.name, 24):<24}  - {why}", "dim", limit=300)
            for path, why in list(proposal.left.items())[:_MOST_SHOWN]
        ]
        self.query_one("#proposed", Static).update(Content("\n").join(lines))
        count = len(proposal.captions)
        nothing = f", {len(proposal.left)} get none" if proposal.left else ""
        what = (
            f"{count} captions would be written{nothing}."
            if count
            else (f"There is nothing to write{nothing}.")
        )
        self._say(what)
        button = self.query_one("#write", Button)
        button.label = f"Write {count}"
        button.disabled = not count

    def _say(self, text: str) -> None:
        self.query_one("#done", Static).update(shown(text))
