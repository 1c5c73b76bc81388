"""Captions for many pictures at once, by any captioner: shown first where that takes no time, by a
job where a model looks at the pictures."""

from __future__ import annotations

from collections.abc import Sequence

from textual import on, work
from textual.message import Message
from textual.widgets import Button, Static
from textual.worker import get_current_worker

from ...captioners.base import CaptionerSpec, LightSpec, ModelSpec
from ...core.dataset.caption_files import CaptionFiles, Mode
from ...core.errors import WizardError
from ..walk import captioning
from ..walk.captioning import Settings
from ..walk.captioning_look import Look, Looked, first_ready, in_lines
from ..walk.captions import CaptionList
from ..widgets.controls import Choice
from ..widgets.fields import NumberInput, OptionField, field_of
from ..widgets.long_list import Cell, LongList
from ..widgets.text import SafeInput, shown
from .light_captions import LightCaptionsScreen, StoppedError, previewed

_STATES = {True: "ready", False: "not here yet", None: ""}


class WriteCaptions(LightCaptionsScreen):
    """Ends with what a captioner that needs no job has written; else with None."""

    class Found(Message):
        """What F2 would do is known."""

        def __init__(self, looked: Looked) -> None:
            super().__init__()
            self.looked = looked

    class Ready(Message):
        """Which captioners lack nothing, by name."""

        def __init__(self, states: dict[str, bool]) -> None:
            super().__init__()
            self.states = states

    def __init__(self, captions: CaptionList, files: CaptionFiles) -> None:
        super().__init__(files)
        self._captioners = captioning.captioners()
        self._names = [*self._captioners, captioning.TRIGGER_WORDS]
        self._states: dict[str, bool] = {captioning.TRIGGER_WORDS: True}
        self._look = Look(captions)
        self._looked = Looked()
        self._proposed = ""
        """The captioner that the cursor begins on, while nobody has chosen one."""
        self._shown = ""
        """The captioner whose options are shown."""

    def on_mount(self) -> None:
        source = self._settings.source
        place = self._names.index(source) if source in self._names else 0
        chosen = self.query_one("#captioners", LongList)
        chosen.show(len(self._names), cursor=place)
        chosen.focus()
        self.show_buttons()
        self._look_at_all()
        self.find_job()

    def on_descendant_focus(self) -> None:
        """Explain what has the focus."""
        field = field_of(self.focused)
        words = field.info.help if field else ""
        is_choosing = self.focused is self.query_one("#captioners")
        self.set_class(is_choosing, "-choosing")
        if is_choosing:
            words = f"{captioning.CHOOSE}\n{captioning.ABOUT}"
        elif isinstance(self.focused, Choice) and field is None:
            words = captioning.MODE_HELP
        self.query_one("#help", Static).update(shown(words))

    @property
    def _settings(self) -> Settings:
        return Settings(self.app.draft, self.app.assessment)

    @property
    def chosen_mode(self) -> Mode:
        return self._settings.mode

    @property
    def _source(self) -> str:
        return self._names[self.query_one("#captioners", LongList).index or 0]

    @property
    def _spec(self) -> CaptionerSpec | None:
        found = self._captioners.get(self._source)
        return found if isinstance(found, CaptionerSpec) else None

    def captioner_line(self, index: int) -> Sequence[Cell]:
        name = self._names[index]
        found = self._captioners.get(name)
        title = found.title if isinstance(found, CaptionerSpec) else name
        if name == captioning.TRIGGER_WORDS:
            title = captioning.TRIGGER_WORDS_TITLE
        state = "broken" if isinstance(found, WizardError) else _STATES[self._states.get(name)]
        return [(title, 0, ""), (state, 14, "" if state == "ready" else "dim")]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "start":
            return self._can_start and not self.is_live
        if action == "leave_field":
            return type(self.focused) in (SafeInput, NumberInput)
        if action == "copy_command":
            return bool(self._looked.command) and not self.has_class("-watching")
        return super().check_action(action, parameters)

    @property
    def _can_start(self) -> bool:
        proposal = self._looked.proposal
        can_write = proposal is not None and bool(proposal.captions) and not self.is_writing
        return can_write or self._looked.wanted is not None

    def action_leave(self) -> None:
        """Back; a write that is under way ends after the file it is at."""
        self.workers.cancel_group(self, "look")
        if self.is_writing:
            self.workers.cancel_group(self, "write")
        else:
            super().action_leave()

    def action_start(self) -> None:
        """Do what is shown."""
        looked = self._looked
        if looked.wanted is not None:
            self.begin_job(looked.wanted)
        elif looked.proposal is not None and self._can_start:
            self.is_writing = True
            self.show_buttons()
            self.write(looked.proposal)

    def action_copy_command(self) -> None:
        """Copy the command that brings what is missing."""
        self.app.copy_to_clipboard(self._looked.command)
        self.say("Copied. Run it in another terminal, then choose the captioner again.")

    def show_buttons(self) -> None:
        start = self.query_one("#start", Button)
        start.display = self.check_action("start", ()) is True
        words = "Go on" if self._looked.can_go_on else "Start"
        if self._looked.proposal is not None:
            words = f"Write {len(self._looked.proposal.captions)}"
        start.label = words
        super().show_buttons()

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        getattr(self, f"action_{event.button.id}")()

    @on(LongList.Moved, "#captioners")
    async def _source_chosen(self, event: LongList.Moved) -> None:
        event.stop()
        name = self._source
        if name == self._shown:
            return
        self._shown = name
        is_own = self._settings.is_chosen or name != self._proposed
        if is_own and self._settings.source != name and self.focused is event.of:
            self._settings.source = name
        await self._show_captioner()
        self.look_again()

    async def _show_captioner(self) -> None:
        spec, settings = self._spec, self._settings
        about = captioning.TRIGGER_WORDS_ABOUT if spec is None else spec.help
        if isinstance(found := self._captioners.get(self._source), WizardError):
            about = str(found)
        self.query_one("#about", Static).update(shown(about))
        self.query_one("#for").display = spec is not None
        self.set_class(not isinstance(spec, ModelSpec), "-light")
        self.query_one("#proposed", Static).update("")
        place = self.query_one("#options")
        place.set_class(isinstance(spec, LightSpec) or spec is None, "-few")
        await place.remove_children()
        if spec is None:
            return
        texts = settings.texts(spec)
        fields = [OptionField(info, texts[info.key]) for info in captioning.infos(spec)]
        await place.mount_all(fields)
        for field in fields:
            if field.info.key == captioning.PREFIX:
                field.show_left_out(settings.no_prefix)
        place.scroll_home(animate=False)

    @on(LongList.Chosen, "#captioners")
    def _source_entered(self, event: LongList.Chosen) -> None:
        event.stop()
        self.focus_next()

    @on(Choice.Changed)
    def _mode_chosen(self, event: Choice.Changed) -> None:
        event.stop()
        self._settings.mode = event.value
        self.look_again()

    @on(OptionField.Edited)
    def _edited(self, event: OptionField.Edited) -> None:
        event.stop()
        if spec := self._spec:
            self._settings.keep(spec, event.field.info.key, event.text)
            self.look_again()

    def look_anew(self) -> None:
        self._look.forget()
        self.look_again()

    def look_again(self) -> None:
        """Say what would be done."""
        self._looked = Looked()
        if isinstance(self._captioners.get(self._source), WizardError):
            self._show(self._looked)
        else:
            self._look_at(self._spec)

    @work(thread=True, exclusive=True, group="look")
    def _look_at(self, spec: CaptionerSpec | None) -> None:
        worker = get_current_worker()
        try:
            look = self.looker("looked at {}")
            looked = self._look.at(self._settings, spec, self.app.assessment, look)
        except StoppedError:
            return
        if not worker.is_cancelled:
            self.post_message(self.Found(looked))

    @work(thread=True, group="ready")
    def _look_at_all(self) -> None:
        """Which of them are ready."""
        worker, states = get_current_worker(), {captioning.TRIGGER_WORDS: True}
        for name, spec in self._captioners.items():
            if worker.is_cancelled:
                return
            if isinstance(spec, CaptionerSpec):
                states[name] = captioning.is_ready(self._settings, spec)
        self.post_message(self.Ready(states))

    @on(Ready)
    def _ready(self, event: Ready) -> None:
        event.stop()
        self._states = event.states
        captioners = self.query_one("#captioners", LongList)
        if not self._settings.is_chosen and captioners.has_focus:
            self._proposed = first_ready(event.states)
            captioners.show(len(self._names), cursor=self._names.index(self._proposed))
        captioners.refresh()

    @on(Found)
    def _found(self, event: Found) -> None:
        event.stop()
        if self.is_counting:
            self.is_counting = False
            self.say("")
        self._show(event.looked)

    def _show(self, looked: Looked) -> None:
        self._looked, self.undoable = looked, looked.undoable
        problems = {problem.where: problem for problem in looked.problems}
        for field in self.query(OptionField):
            field.show_problem(problems.get(field.info.key))
        lines = list(looked.lines)
        if looked.command:
            lines.append("F6 copies the command.")
        if looked.proposal is not None:
            lines.append(in_lines(looked.proposal))
            self.query_one("#proposed", Static).update(previewed(looked.proposal))
        self.query_one("#said", Static).update(shown("\n".join(lines)))
        self.show_buttons()
