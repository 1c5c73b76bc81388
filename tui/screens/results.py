"""Results: the pictures of all epochs side by side, the best one chosen, its file and what to do
with it."""

from __future__ import annotations

from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, ClassVar, Literal

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import Static

from ...core.errors import WizardError
from ...core.run.choice import choose
from ...core.run.directory import RunDirectory
from ...core.run.outcome import RunOutcome, Version
from ..walk import learned
from ..walk.transfer import download_command
from ..walk.using import facts, in_other_programs, standing
from ..widgets.footer import Footer
from ..widgets.picture_grid import PictureGrid
from ..widgets.text import shown
from .explain import HelpScreen
from .large_picture import LargePicture

if TYPE_CHECKING:
    from ..app import WizardApp

_NO_PICTURE = Path("no picture was drawn")
_NAME_WIDTH = 10


class ResultsScreen(Screen[None]):
    """One run. A column for each version, the base model first; a row for each prompt."""

    HELP = """Every column is the LoRA after an epoch, every row a prompt with one seed: look along
    a row for the epoch that draws the subject and still obeys the rest of the prompt. Later is not
    always better: when everything begins to look like the pictures it learned from, take an earlier
    one. The best one is noted in the run's folder, and is what output.publish_to gets."""
    app: WizardApp
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("b", "choose_best", "Best one"),
        Binding("y", "copy_command", "Copy", tooltip="Copy the command that fetches it"),
        Binding("u", "explain_use", "Use", tooltip="How to use it"),
        Binding("r", "write_report", "Report"),
        Binding("f5", "read_again", "Look again", show=False),
        Binding("escape", "back", "Back"),
    ]
    DEFAULT_CSS = """
    ResultsScreen #run { height: 1; background: $panel; padding: 0 1; }
    ResultsScreen #learned { height: auto; max-height: 4; padding: 0 1; display: none; }
    ResultsScreen #prompt { height: 1; padding: 0 1; color: $text-muted; }
    ResultsScreen PictureGrid { height: 1fr; margin: 0 1; }
    ResultsScreen #facts { height: auto; min-height: 4; max-height: 9; padding: 0 1; }
    ResultsScreen #facts { background: $panel; }
    """

    def __init__(self, run: RunDirectory) -> None:
        super().__init__()
        self.run_directory = run
        self._outcome: RunOutcome | None = None
        self._left = Event()

    def compose(self) -> ComposeResult:
        yield Static("", id="run", markup=False)
        yield Static("", id="learned", markup=False)
        yield Static("reading the run ...", id="prompt", markup=False)
        yield PictureGrid(columns=17, rows=8)
        yield Static("", id="facts", markup=False)
        yield Footer()

    def on_mount(self) -> None:
        self.query_one(PictureGrid).focus()
        self.action_read_again()

    def on_unmount(self) -> None:
        self._left.set()

    @property
    def version(self) -> Version | None:
        """The one whose column has the cursor."""
        outcome = self._outcome
        if not outcome or not outcome.versions:
            return None
        return outcome.versions[self.query_one(PictureGrid).index % len(outcome.versions)]

    def action_read_again(self) -> None:
        """Read the run's folder anew: while a run goes on there is more."""
        self._read()
        self._ask_what_it_learned()

    @work(thread=True, exclusive=True, group="learned")
    def _ask_what_it_learned(self) -> None:
        for said in learned.follow(self.run_directory, self._left):
            self.app.call_from_thread(self._show_learned, said)

    def _show_learned(self, said: str) -> None:
        line = self.query_one("#learned", Static)
        line.display = bool(said)
        line.update(shown(said))

    @work(thread=True, exclusive=True)
    def _read(self) -> None:
        try:
            outcome = RunOutcome.of(self.run_directory)
        except WizardError as error:
            self.app.call_from_thread(self._say, f"{error}", "error")
            return
        self.app.call_from_thread(self._show, outcome)

    def _show(self, outcome: RunOutcome) -> None:
        first = self._outcome is None
        self._outcome = outcome
        versions = outcome.versions
        if not versions:
            words = "Nothing yet: the first file or picture has not been made. F5 looks again."
            self.query_one("#prompt", Static).update(words)
            return
        grid = self.query_one(PictureGrid)
        items = [
            (" ".join(self._named(version)), _picture(version, row))
            for row in range(max(1, len(outcome.prompts)))
            for version in versions
        ]
        grid.show(items, per_row=len(versions))
        self._show_version()
        if first and outcome.best:
            # Only when it is laid out does the grid know where that is.
            self.call_after_refresh(grid.move_to, versions.index(outcome.best))

    def _named(self, version: Version) -> list[str]:
        """Its label, and what it is among the others where it is something."""
        assert self._outcome
        role = standing(self._outcome, version)
        return [version.label, role] if role else [version.label]

    @on(PictureGrid.Highlighted)
    def _show_version(self) -> None:
        outcome, version = self._outcome, self.version
        if not outcome or not version:
            return
        row = self.query_one(PictureGrid).index // len(outcome.versions)
        asked = f"the best: {outcome.chosen}" if outcome.chosen else "which one is the best?"
        self.query_one("#run", Static).update(
            shown(f"Results of {outcome.config.output.name}: {asked}")
        )
        prompt = outcome.prompts[row] if outcome.prompts else "no sample prompts were given"
        self.query_one("#prompt", Static).update(
            shown(f"{', '.join(self._named(version))}: {prompt}")
        )
        lines = [
            f"{key:<{_NAME_WIDTH}}{value}"
            for key, value in facts(self.run_directory, outcome, version)
        ]
        self.query_one("#facts", Static).update(shown("\n".join(lines)))

    @on(PictureGrid.Chosen)
    def _enlarge(self, event: PictureGrid.Chosen) -> None:
        if event.path != _NO_PICTURE:
            self.app.push_screen(LargePicture(event.path))

    def action_choose_best(self) -> None:
        """Note the version under the cursor as the best, and publish it where that was asked."""
        version = self.version
        if version is None or not version.file:
            self._say("This column has no file that could be chosen.", "warning")
            return
        self._choose(version.file)

    @work(thread=True, exclusive=True)
    def _choose(self, file: str) -> None:
        try:
            copy = choose(self.run_directory, file)
            words = f"{file} is the best one" + (f"; copied to {copy}" if copy else "")
            self.app.call_from_thread(self._say, words)
        except WizardError as error:
            self.app.call_from_thread(self._say, str(error), "error")
        self.app.call_from_thread(self.action_read_again)

    def action_copy_command(self) -> None:
        """Put the command that fetches the file, or else its path, into the clipboard."""
        version = self.version
        if version is None or not version.file:
            self._say("This column has no file.", "warning")
            return
        path = self.run_directory.path / version.file
        self.app.copy_to_clipboard(download_command([path]) or str(path))
        self._say("Sent to your terminal's clipboard. If nothing arrives: it stands below.")

    def action_explain_use(self) -> None:
        """Say how the file is used elsewhere."""
        if self._outcome:
            self.app.push_screen(HelpScreen(shown(in_other_programs(self._outcome))))

    @work(thread=True, exclusive=True)
    def action_write_report(self) -> None:
        """Write report.html and say where it is."""
        from ...core.report import write_report

        try:
            path = write_report(self.run_directory)
        except WizardError as error:
            self.app.call_from_thread(self._say, str(error), "error")
            return
        command = download_command([path])
        self.app.call_from_thread(self._say, f"{path}\n{command}".strip())

    def action_back(self) -> None:
        """To where one came from."""
        self.app.pop_screen()

    def _say(
        self, words: str, severity: Literal["information", "warning", "error"] = "information"
    ) -> None:
        self.notify(shown(words).plain, severity=severity, markup=False)


def _picture(version: Version, row: int) -> Path:
    drawn = version.pictures[row] if row < len(version.pictures) else None
    return drawn or _NO_PICTURE
