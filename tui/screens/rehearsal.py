"""A rehearsal over the review: what it does, then what it found."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widgets import OptionList, Static
from textual.worker import get_current_worker

from ...core.config import RunConfig
from ...core.errors import Mend, WizardError
from ..walk import rehearsal
from ..walk.assessment import Assessment
from ..walk.progress import MARKS
from ..walk.rehearsal import Rehearsed
from ..widgets.fields import SIGNS
from ..widgets.text import shown
from .dialog import Dialog

if TYPE_CHECKING:
    from ..app import WizardApp

_HERE, _DONE = MARKS["here"][0], MARKS["done"][0]
_BACK = "Back to the review"


class RehearsalScreen(Dialog[Mend | None]):
    """Rehearses ``config``; ends with what is to be changed, if anything. Whoever leaves before the
    end, the wizard too, ends the rehearsal."""

    app: WizardApp
    HELP = rehearsal.ABOUT
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "End it")]
    DEFAULT_CSS = """
    RehearsalScreen > Vertical { padding: 0 1; }
    RehearsalScreen #title { text-style: bold; }
    RehearsalScreen VerticalScroll { height: auto; max-height: 16; }
    RehearsalScreen OptionList {
        height: auto; margin: 1 0 0 0; border: none; padding: 0; display: none;
    }
    """

    class Turned(Message):
        """It turns to something."""

        def __init__(self, words: str) -> None:
            super().__init__()
            self.words = words

    class Ended(Message):
        """It is over, with what it found or why it failed."""

        def __init__(self, found: Rehearsed | WizardError) -> None:
            super().__init__()
            self.found = found

    def __init__(self, known: Assessment, config: RunConfig) -> None:
        """``config`` is that of the draft, of which ``known`` tells."""
        super().__init__()
        self._known = known
        self._config = config
        self._phases: list[str] = []
        self._mends: list[Mend] = []

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Static("Rehearsal", id="title")
            yield Static(rehearsal.ABOUT, id="about")
            with VerticalScroll(can_focus=False):
                yield Static("", id="said", markup=False)
            yield OptionList(markup=False, compact=True)
            yield Static("esc ends it", id="keys")

    def on_mount(self) -> None:
        self._rehearse(self.app.draft.fact("price_per_hour"))

    def action_leave(self) -> None:
        """End it, or leave what it found."""
        # With the screen its worker goes, and with that the job.
        self.dismiss(None)

    @work(thread=True, group="rehearse")
    def _rehearse(self, price: str) -> None:
        worker = get_current_worker()

        def look() -> None:
            if worker.is_cancelled:
                raise _LeftError

        def tell(words: str) -> None:
            # Posted, not called: nobody may be there any more who would answer.
            self.post_message(self.Turned(words))

        try:
            found = rehearsal.rehearse(self._known, self._config, price, tell, look)
        except _LeftError:
            return
        except WizardError as error:
            found = error
        self.post_message(self.Ended(found))

    @on(Turned)
    def _show_phase(self, event: Turned) -> None:
        event.stop()
        if event.words not in self._phases:
            self._phases.append(event.words)
        lines = [f"{_DONE} {words}" for words in self._phases if words != event.words]
        self._say(shown("\n".join([*lines, f"{_HERE} {event.words} ..."])))

    @on(Ended)
    def _show_end(self, event: Ended) -> None:
        event.stop()
        found = event.found
        if isinstance(found, WizardError):
            told = "\n".join(part for part in (found.message, found.remedy) if part)
            self._say(shown(told), f"{SIGNS['error']} {found.title}")
            self._offer()
            return
        parts = [shown("\n".join(found.lines))]
        rows = [f"{name:<12}{text}" for name, text in found.estimated]
        parts += [Content("\n\n"), shown("\n".join(["The whole run:", *rows]))] if rows else []
        for problem in found.problems:
            parts += [Content("\n\n"), shown(f"{SIGNS[problem.severity]} {problem.words}")]
            self._mends += problem.mends
        self._say(Content("").join(parts), f"{_DONE} Rehearsed")
        self._offer()

    def _say(self, text: Content, title: str = "") -> None:
        self.query_one("#said", Static).update(text)
        if title:
            self.query_one("#title", Static).update(shown(title))
            self.query_one("#about").display = False

    def _offer(self) -> None:
        self.query_one("#keys").display = False
        offers = self.query_one(OptionList)
        offers.add_options([*(shown(mend.label) for mend in self._mends), _BACK])
        offers.display = True
        offers.highlighted = 0
        offers.focus()

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        at = event.option_index
        self.dismiss(self._mends[at] if at < len(self._mends) else None)


class _LeftError(Exception):
    """The screen was left, or the wizard."""
