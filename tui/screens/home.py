"""Home: where everything begins, and where running things are found again."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import Screen
from textual.widgets import OptionList, Static
from textual.worker import get_current_worker

from ..walk import listing
from ..walk.draft import Draft, drafts, drafts_folder
from ..walk.hold import sweep
from ..walk.runs import RunBook, RunEntry
from ..widgets.footer import Footer
from ..widgets.rows import Rows
from ..widgets.text import shown
from ..widgets.thrift import fit
from .ask import Ask
from .run_choice import act, choose_for

if TYPE_CHECKING:
    from ..app import WizardApp

_EVERY = 5.0
"""Seconds between looks at runs that are going on. Without one nothing is looked at."""
_BEGIN = (
    ("n", "New LoRA", "from a folder of pictures, step by step"),
    ("o", "Open a TOML", "walk through a configuration that is there already"),
    ("d", "Demo", "see it work in two minutes, without pictures or a model"),
)

_FIRST = """\
How it goes
  1  Your pictures: ten to thirty of one person, thing or style.
  2  Their captions, how long to train, the base model: each with a value to
     begin with, what it means, and what is wrong with it.
  3  A look at it all, at the steps and the time, before anything starts.
  4  The training: it goes on when you close this window or lose the line.
  5  The pictures of every epoch: choose the best, and fetch its file.

You need pictures, a base model (a file, a folder, or its id on the hub), and
a GPU. The demo needs none of them.\
"""


class HomeScreen(Screen[None]):
    """New, drafts, TOMLs, runs, the demo."""

    app: WizardApp
    HELP = (
        "Where everything begins. A draft is what was answered on the way to a training: it is "
        "kept at every key, also when the connection is cut, and after the start, to begin another "
        "from, until it is deleted. A run is a training that was started: "
        "it goes on without this window, and can be watched again from here at any time."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "new", "New", show=False),
        Binding("o", "open", "Open a TOML", show=False),
        Binding("d", "demo", "Demo", show=False),
        Binding("w", "run('watch')", "Watch"),
        Binding("p", "run('results')", "Pictures"),
        Binding("r", "run('resume')", "Resume"),
        Binding("s", "run('stop')", "Stop"),
        Binding("delete", "discard", "Delete"),
        Binding("f5", "look", "Look again", show=False),
    ]
    DEFAULT_CSS = """
    HomeScreen #title { height: 2; padding: 0 1; }
    HomeScreen .heading { height: 1; padding: 0 1; color: $primary; text-style: bold; }
    HomeScreen #drafts-heading, HomeScreen #runs-heading { margin: 1 0 0 0; }
    HomeScreen Rows { margin: 0 1; }
    HomeScreen #drafts { max-height: 5; }
    HomeScreen #runs { height: 1fr; }
    HomeScreen.-tall #drafts { max-height: 11; }
    HomeScreen #first { height: 1fr; padding: 1 1; max-width: 90; }
    HomeScreen #detail { height: 2; padding: 0 1; background: $panel; color: $text-muted; }
    HomeScreen.-tall #detail { height: 4; }
    """
    VERTICAL_BREAKPOINTS: ClassVar[list[tuple[int, str]] | None] = [(0, "-short"), (32, "-tall")]

    def __init__(self) -> None:
        super().__init__()
        self._drafts: list[Draft] = []
        self._runs: list[RunEntry] = []
        self._has_looked = False
        self._book = RunBook()
        self._can: tuple[bool, tuple[str, ...]] = (False, ())
        """What the footer offers: to delete a draft, and what to do with a run."""

    def compose(self) -> ComposeResult:
        fit(self)
        title = Content.styled("lora-wizard", "bold $primary")
        yield Static(title + Content("  from a folder of pictures to a LoRA"), id="title")
        yield Rows("begin")
        yield Static("", id="drafts-heading", classes="heading")
        yield Rows("drafts")
        yield Static("", id="runs-heading", classes="heading")
        yield Rows("runs")
        yield Static(_FIRST, id="first", markup=False)
        yield Static("", id="detail", markup=False)
        yield Footer()

    def on_mount(self) -> None:
        rows = [f"  {key}  {words:<14}{what}" for key, words, what in _BEGIN]
        self.query_one("#begin", Rows).show([Content(row) for row in rows])
        self.query_one("#begin").focus()
        self.set_interval(_EVERY, self._look_at_live)

    def on_screen_resume(self) -> None:
        self.action_look()

    def on_resize(self) -> None:
        self._show()

    def action_look(self) -> None:
        """Read drafts and runs again."""
        self._look()

    def _look_at_live(self) -> None:
        if self.is_active and any(entry.state == "live" for entry in self._runs):
            self._look()

    @work(thread=True, exclusive=True, group="runs")
    def _look(self) -> None:
        worker = get_current_worker()
        sweep(drafts_folder())
        kept, entries = drafts(), self._book.glance()
        if not self._runs:
            self.app.call_from_thread(self._found, kept, entries)
        for place, entry in enumerate(self._book.read(list(entries))):
            if worker.is_cancelled:
                return
            entries[place] = entry
        self.app.call_from_thread(self._found, kept, entries)

    def _found(self, kept: list[Draft], entries: list[RunEntry]) -> None:
        chosen = self._run
        self._drafts, self._runs, self._has_looked = kept, entries, True
        if not self.is_active:
            return
        self._show()
        if chosen:
            paths = [entry.run.path for entry in entries]
            rows = self.query_one("#runs", Rows)
            if chosen.run.path in paths and rows.highlighted is not None:
                rows.highlighted = paths.index(chosen.run.path)
        self._explain()

    def _show(self) -> None:
        width, now = self.size.width - 4, time.time()
        texts = listing.draft_lines(self._drafts, width, now)
        nothing = self._has_looked and not self._drafts and not self._runs
        self.query_one("#first").display = nothing
        self._fill("drafts", "Drafts", [shown(text) for text in texts])
        lines = listing.run_lines(self._runs, width, now)
        # The word is never coloured: it has to be read under the highlight, too.
        rows = [
            shown(line[:1], _STYLES.get(entry.state, "")) + shown(line[1:])
            for entry, line in zip(self._runs, lines, strict=True)
        ]
        self._fill("runs", "Runs", rows)

    def _fill(self, name: str, title: str, rows: list[Content]) -> None:
        heading, found = self.query_one(f"#{name}-heading", Static), self.query_one(f"#{name}")
        _say(heading, f"{title} ({len(rows)})")
        heading.display = found.display = bool(rows)
        assert isinstance(found, Rows)
        found.show(rows)
        if found.has_focus and not rows:
            self.query_one("#begin").focus()

    @property
    def _draft(self) -> Draft | None:
        rows = self.query_one("#drafts", Rows)
        return self._drafts[rows.highlighted or 0] if rows.has_focus and self._drafts else None

    @property
    def _run(self) -> RunEntry | None:
        rows = self.query_one("#runs", Rows)
        return self._runs[rows.highlighted or 0] if rows.has_focus and self._runs else None

    def on_descendant_focus(self) -> None:
        self._explain()

    @on(OptionList.OptionHighlighted)
    def _explain(self) -> None:
        """Say more of what the highlight is on."""
        text = ""
        if draft := self._draft:
            text = listing.draft_detail(draft)
        elif entry := self._run:
            text = listing.run_detail(entry)
        elif not self._drafts and not self._runs:
            text = "New here? Press d and see everything once; then n for your own."
        else:
            text = "Arrows and enter choose; tab goes from list to list."
        _say(self.query_one("#detail", Static), text)
        can = (self._draft is not None, self._run.actions if self._run else ())
        if can != self._can:
            self._can = can
            self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only what can be done with what the highlight is on is in the footer."""
        if action == "discard":
            return self._draft is not None
        if action == "run":
            return bool(self._run and parameters[0] in self._run.actions)
        return True

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        if event.option_list.id == "begin":
            (self.action_new, self.action_open, self.action_demo)[event.option_index]()
        elif event.option_list.id == "drafts":
            self.app.begin(self._drafts[event.option_index])
        else:
            choose_for(self.app, self._runs[event.option_index], self.action_look)

    def action_run(self, what: str) -> None:
        """Do something with the run that the highlight is on."""
        if entry := self._run:
            act(self.app, entry, what, self.action_look)

    def action_new(self) -> None:
        """Choose a preset, then walk."""
        from .presets import PresetScreen

        self.app.push_screen(PresetScreen())

    def action_open(self) -> None:
        """Choose a TOML, then walk."""
        from .open_toml import OpenScreen

        self.app.push_screen(OpenScreen())

    def action_demo(self) -> None:
        """Ask, then start the demo."""
        from .demo import offer_demo

        offer_demo(self.app)

    def action_discard(self) -> None:
        """Delete a draft, once more asked."""
        draft = self._draft
        if draft is None:
            return

        def answered(answer: str | None) -> None:
            if answer:
                draft.discard()
                self.action_look()

        saved = f"{draft.source} stays." if draft.source else "It was never saved as a TOML."
        choices = [("delete", "Delete it"), ("", "Keep it")]
        self.app.push_screen(Ask(f"Delete the draft {draft.name}?", saved, choices), answered)


_STYLES = {"live": "$primary", "failed": "$error", "killed": "$error", "unreadable": "$error"}


def _say(where: Static, text: str) -> None:
    """Without a byte to the terminal when it says so already."""
    content = shown(text)
    if where.content != content:
        where.update(content)
