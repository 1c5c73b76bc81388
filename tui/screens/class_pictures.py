"""Class pictures, drawn by the base model, over the step of the pictures."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Button, Static
from textual.worker import get_current_worker

from ...core.errors import WizardError
from ...core.run import control
from ..walk import class_pictures as drawn
from ..widgets.fields import SIGNS, NumberInput, OptionField, field_of
from ..widgets.footer import Footer
from ..widgets.task_pane import TaskPane
from ..widgets.text import SafeInput, shown
from ..widgets.thrift import fit

if TYPE_CHECKING:
    from ...core.regularization.start import Work
    from ...core.run.tasks import TaskDirectory
    from ..app import WizardApp

_GLANCE = 0.1


class ClassPicturesScreen(Screen[None]):
    """What is to be drawn, how it goes, and the newest picture. Leaving it leaves the drawing
    alone."""

    app: WizardApp
    HELP = drawn.ABOUT
    HORIZONTAL_BREAKPOINTS: ClassVar[list[tuple[int, str]] | None] = [
        (0, "-narrow"),
        (100, "-wide"),
    ]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Back", tooltip="Back; what is being drawn goes on"),
        Binding("f2", "draw", "Draw", tooltip="Draw what is missing"),
        Binding("f3", "stop", "Stop", tooltip="End the drawing; what was drawn stays"),
        # At once, as in every form: what is typed right behind belongs to the next field.
        Binding("enter", "leave_field", "Next field", show=False, priority=True),
        Binding("enter,down", "app.focus_next", "Next field", show=False),
        Binding("up", "app.focus_previous", "Field before", show=False),
    ]
    DEFAULT_CSS = """
    ClassPicturesScreen #title { text-style: bold; padding: 0 1; height: auto; }
    ClassPicturesScreen #about { padding: 0 1; height: auto; color: $text-muted; }
    ClassPicturesScreen #both { height: 1fr; }
    ClassPicturesScreen VerticalScroll { height: 1fr; margin: 1 0 0 0; scrollbar-size-vertical: 1; }
    ClassPicturesScreen #right { padding: 0 1; height: auto; }
    ClassPicturesScreen #figures { height: auto; }
    ClassPicturesScreen #help { height: 3; padding: 0 1; color: $text-muted; }
    ClassPicturesScreen #buttons { height: 1; padding: 0 1; }
    ClassPicturesScreen #buttons Button { min-width: 10; margin: 0 1 0 0; }
    ClassPicturesScreen.-wide #both { layout: horizontal; }
    ClassPicturesScreen.-wide #right { width: 1fr; height: 100%; }
    ClassPicturesScreen.-wide VerticalScroll { width: 62; }
    ClassPicturesScreen.-wide TaskPane { height: 1fr; }
    ClassPicturesScreen.-narrow.-live VerticalScroll { display: none; }
    ClassPicturesScreen.-narrow.-live #help { display: none; }
    ClassPicturesScreen.-narrow.-live #right { height: 1fr; }
    ClassPicturesScreen.-narrow.-live TaskPane { height: 1fr; }
    ClassPicturesScreen.-narrow TaskPane Picture { display: none; }
    ClassPicturesScreen.-narrow.-live TaskPane Picture { display: block; }
    """

    class Counted(Message):
        """What it comes to is known."""

        def __init__(self, lines: list[str], can_draw: bool) -> None:
            super().__init__()
            self.lines = lines
            self.can_draw = can_draw

    class Begun(Message):
        """The job is there, or why it is not."""

        def __init__(self, task: TaskDirectory, error: WizardError | None = None) -> None:
            super().__init__()
            self.task = task
            self.error = error

    def __init__(self) -> None:
        super().__init__()
        self._can_draw = False
        self._is_live = False
        self._work: Work | None = None

    def compose(self) -> ComposeResult:
        fit(self)
        known = drawn.texts(self.app.draft)
        yield Static("Class pictures", id="title")
        yield Static(drawn.ABOUT, id="about")
        with Vertical(id="both"):
            with VerticalScroll(can_focus=False):
                for info in drawn.infos():
                    yield OptionField(info, known[info.key])
            with Vertical(id="right"):
                yield Static("", id="figures", markup=False)
                yield TaskPane()
        yield Static("", id="help", markup=False)
        with Horizontal(id="buttons"):
            yield Button("Back", id="back", compact=True)
            yield Button("Draw", id="draw", variant="primary", compact=True)
            yield Button("Stop", id="stop", compact=True)
        yield Footer()

    def on_mount(self) -> None:
        self._show_buttons()
        self.query(OptionField).first().input.focus()
        self._look()
        task = drawn.directory(self.app.assessment)
        if task is not None and (drawn.is_beginning(task) or (task.exists and task.is_live())):
            self._turn_live(True)
            self._await(task)

    def on_descendant_focus(self) -> None:
        """Explain the field that has the focus."""
        field = field_of(self.focused)
        self.query_one("#help", Static).update(shown(field.info.help if field else ""))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "leave_field":
            return type(self.focused) in (SafeInput, NumberInput)
        if action == "draw":
            return self._can_draw and not self._is_live
        if action == "stop":
            return self._is_live
        return True

    def action_leave_field(self) -> None:
        """To the next field: an input would keep enter to itself."""
        self.focus_next()

    def action_leave(self) -> None:
        """Back to the pictures."""
        self.dismiss()

    def action_draw(self) -> None:
        """Begin, or go on."""
        if self._work is not None:
            self._turn_live(True)
            self.query_one(TaskPane).say("starting ...")
            self._begin(self._work)

    def action_stop(self) -> None:
        """End it after the denoising step it is in."""
        directory = drawn.directory(self.app.assessment)
        if directory is not None:
            try:
                control.request(directory, "stop")
            except WizardError as error:
                self.notify(error.title, severity="error", markup=False)

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        {"back": self.action_leave, "draw": self.action_draw, "stop": self.action_stop}[
            event.button.id or "back"
        ]()

    @on(OptionField.Edited)
    def _edited(self, event: OptionField.Edited) -> None:
        event.stop()
        drawn.keep(self.app.draft, event.field.info.key, event.text)
        self._look()

    @work(thread=True, exclusive=True, group="count")
    def _look(self) -> None:
        worker = get_current_worker()
        try:
            found = drawn.work_of(self.app.draft, self.app.assessment)
            lines = drawn.told(found)
        except WizardError as error:
            found, lines = None, [f"{SIGNS['error']} {error}"]
        if not worker.is_cancelled:
            self._work = found
            self.post_message(self.Counted(lines, found is not None))

    @work(thread=True, group="begin")
    def _begin(self, wanted: Work) -> None:
        try:
            drawn.begin(self.app.draft, wanted)
        except WizardError as error:
            self.post_message(self.Begun(wanted.directory, error))
        else:
            self.post_message(self.Begun(wanted.directory))

    @work(thread=True, group="begin")
    def _await(self, task: TaskDirectory) -> None:
        """Of a job that another screen has begun."""
        worker = get_current_worker()
        while drawn.is_beginning(task) and not worker.is_cancelled:
            time.sleep(_GLANCE)
        self.post_message(self.Begun(task))

    @on(Counted)
    def _counted(self, event: Counted) -> None:
        event.stop()
        self._can_draw = event.can_draw
        self.query_one("#figures", Static).update(shown("\n".join(event.lines)))
        self._show_buttons()

    @on(Begun)
    def _begun(self, event: Begun) -> None:
        event.stop()
        if event.error:
            self._turn_live(False)
            self.query_one(TaskPane).say(f"{SIGNS['error']} {event.error}")
        else:
            self.query_one(TaskPane).follow(event.task)

    @on(TaskPane.News)
    def _told(self, event: TaskPane.News) -> None:
        event.stop()
        pane, news = event.pane, event.news
        pane.say(news.in_words())
        if picture := drawn.newest(news.events):
            pane.show(*picture)
        if news.is_over:
            self._turn_live(False)
            if news.status.state == "finished" and self._work is not None:
                self._take(self._work)
            self._look()

    def _take(self, done: Work) -> None:
        if drawn.use(self.app.draft, done.into):
            self.query_one(TaskPane).say("Done. The training uses them now.")
            self.app.touch()

    def _turn_live(self, live: bool) -> None:
        self._is_live = live
        self.set_class(live, "-live")
        self._show_buttons()

    def _show_buttons(self) -> None:
        self.query_one("#draw", Button).display = self._can_draw and not self._is_live
        self.query_one("#stop", Button).display = self._is_live
        self.refresh_bindings()
