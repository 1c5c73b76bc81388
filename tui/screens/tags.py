"""The words of all captions: how often each stands there, what is pruned, and what is kept."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from textual import on, work
from textual.widgets import Input, Static
from textual.worker import get_current_worker

from ...core.config import RunConfig
from ...core.dataset.caption_files import Change, Outcome
from ...core.errors import WizardError
from ...core.tags.changes import Pending
from ...core.tags.table import Tag
from ...core.tags.tokens import Longest, longest
from ..walk import tags, tags_said
from ..walk.tags import Words
from ..widgets.lines import say
from ..widgets.long_list import Cell, Heads, LongList
from ..widgets.picture import Picture
from ..widgets.text import shown
from .ask import Ask
from .captions_undo import undo
from .tags_asking import ask_for_all, ask_new
from .tags_layout import COLUMNS, TagsLayout
from .tags_writing import propose, write

if TYPE_CHECKING:
    from ..app import WizardApp


class TagsScreen(TagsLayout):
    """Ends with the captions that were written meanwhile, by picture."""

    app: WizardApp

    def __init__(self) -> None:
        super().__init__()
        self._config: RunConfig | None = None
        self._words: Words | None = None
        self._vocabulary: Path | None = None
        """The folder of the tokenizer by which captions are counted."""
        self._longest: Longest | None = None
        self._written: dict[Path, str] = {}
        self._is_writing = False
        self._concept = ""
        """Whose tags are shown; empty for all."""

    def on_mount(self) -> None:
        self.query_one(LongList).focus()
        found = self.app.assessment
        if found and found.config:
            self._config = found.config
            self._vocabulary = found.base.vocabulary if found.base else None
            self._read(found.config)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A key that has nothing to do is not shown."""
        if action == "set_tokens":
            return bool(self._longest and self._longest.mends)
        if action == "proposals":
            return bool(self._words and self._words.table.proposed)
        if action == "concept":
            return bool(self._words and self._words.concepts[1:])
        return True

    @property
    def _tag(self) -> Tag | None:
        """The one under the cursor."""
        index = self.query_one(LongList).index
        rows = self._words.rows if self._words else []
        return rows[index] if index is not None and index < len(rows) else None

    @work(thread=True, exclusive=True, group="tags")
    def _read(self, config: RunConfig) -> None:
        try:
            words = tags.read(config, self.app.draft, self._concept)
        except WizardError as error:
            self.app.call_from_thread(self._fail, error)
            return
        if get_current_worker().is_cancelled:
            return
        self.app.call_from_thread(self._take, words)
        self._count(words, config)

    @work(thread=True, exclusive=True, group="tokens")
    def _count(self, words: Words, config: RunConfig) -> None:
        found = longest(words.captions.entries, config.captions, self._vocabulary)
        if not get_current_worker().is_cancelled:
            self.app.call_from_thread(self._take_longest, found)

    def _take(self, words: Words) -> None:
        if self._words:
            words.sort_by(self._words.order)
        self._words = words
        words.filter(self.query_one("#filter", Input).value)
        self.query_one("#title", Static).update(shown(tags_said.heading(words)))
        self._show_rows()
        self.refresh_bindings()

    def _take_longest(self, found: Longest | None) -> None:
        self._longest = found
        key = " m: set it." if found and found.mends else ""
        self.query_one("#tokens", Static).update(shown(f"{found.words}{key}" if found else ""))
        self.refresh_bindings()

    def _show_rows(self, cursor: int | None = None) -> None:
        if self._words:
            self.query_one(LongList).show(len(self._words.rows), cursor=cursor)
            self.query_one(Heads).show(self.heads(self._words.order))
            self._show_decided()

    def line(self, index: int) -> list[Cell]:
        """A tag, how often it stands there, and what becomes of it."""
        assert self._words
        tag = self._words.rows[index]
        state = self._words.state(tag)
        look = "dim" if state.words == "pruned" else ""
        texts = (str(tag.count), f"{tag.share:.0%}", f"{tag.place:.1f}")
        numbers = [(text, wide, look) for text, wide in zip(texts, COLUMNS, strict=False)]
        said = f"{state.sign} {state.words}".rstrip()
        return [(tag.name, 0, look), *numbers, (said, COLUMNS[-1], "")]

    @on(LongList.Moved, "#tags")
    def _moved(self) -> None:
        tag, words = self._tag, self._words
        said = f"{tag.name}: {words.why(tag)}" if tag and words else ""
        if words and not tag:
            said = "No tag is like that." if words.table.tags else "There are no captions yet."
        self.query_one("#why", Static).update(shown(said, limit=300))
        first = words.pictures(tag)[0] if tag and words else None
        if self.has_class("-wide"):
            self.query_one(Picture).show(first.path if first else None)
            text = first.caption if first else ""
            self.query_one("#words", Static).update(shown(text, limit=330))

    @on(LongList.Chosen, "#tags")
    def _chosen(self) -> None:
        if (tag := self._tag) and self._words:
            from .tag_pictures import TagPictures

            self.app.push_screen(TagPictures(tag.name, self._words.pictures(tag)))

    def action_prune(self) -> None:
        """Prune the tag, or not, and go to the next."""
        if (tag := self._tag) and self._words:
            if obstacle := self._words.toggle(tag):
                self._say(obstacle)
                return
            self._decided()
            self.query_one(LongList).action_move(1)

    def action_keep(self) -> None:
        """Keep the tag, and go to the next."""
        if (tag := self._tag) and self._words:
            self._words.keep(tag)
            self._decided()
            self.query_one(LongList).action_move(1)

    def action_replace(self) -> None:
        """Ask what the tag is to become."""
        if (tag := self._tag) and self._words:
            ask_new(self, self._words, tag, self._told)

    def action_proposals(self) -> None:
        """Prune all that seems to describe the subject."""
        if self._words:
            count = self._words.take_proposals()
            self._decided()
            self._say("" if count else "All that is proposed is decided.")

    def action_for_all(self) -> None:
        """Ask what is to be done in every caption."""
        if self._words:
            ask_for_all(self, self._words, self._told)

    def _told(self, obstacle: str) -> None:
        """A question was answered."""
        if obstacle:
            self._say(obstacle)
        else:
            self._decided()

    def action_filter(self) -> None:
        """To the filter."""
        self.query_one("#filter-field").add_class("-on")
        self.query_one("#filter").focus()

    @on(Input.Changed, "#filter")
    def _filtered(self, event: Input.Changed) -> None:
        if self._words:
            self._words.filter(event.value)
            self._show_rows(0)

    @on(Input.Submitted, "#filter")
    def _found(self) -> None:
        self.query_one(LongList).focus()

    def action_sort(self) -> None:
        """By count, by name, or by place."""
        if self._words:
            self._words.sort()
            self._show_rows(0)

    def action_concept(self) -> None:
        """Show the tags of the next concept; what is decided about the others is kept."""
        if self._words and self._config and not self._is_writing:
            self._concept = tags.after(self._words)
            self._read(self._config)

    def action_undo(self) -> None:
        """Take the last decision back."""
        if self._words and self._words.undo():
            self._say("")
            self._decided()
            return
        changes = self._words.captions.files.changes() if self._words else []
        last = f" ctrl+z brings back what was written: {changes[0].title}." if changes else ""
        self._say(f"Nothing is decided.{last}")

    def action_write(self) -> None:
        """Say what would be written, and write it when that is wanted."""
        if self._words and self._config and not self._is_writing:
            if self._words.edits():
                self._is_writing = True
                propose(self, self._words, self._config, done=self._ask, failed=self._fail)
            else:
                self._say("Nothing is decided yet: space prunes a tag, p all that is proposed.")

    def _ask(self, change: Pending) -> None:
        self._is_writing = False
        if not change.changed:
            self._say("No caption changes by what is decided.")
            return

        def answered(name: str | None) -> None:
            if name == "write":
                self._is_writing = True
                write(self, change, tell=self._say, done=self._done, failed=self._fail)

        choices = [("write", "Write them"), ("", "Back, nothing is written")]
        self.app.push_screen(Ask(*tags_said.question(change), choices), answered)

    def _done(self, outcome: Outcome) -> None:
        assert self._words
        self._is_writing = False
        self._words.steps.clear()
        tags.remember(self.app.draft, self._words)
        self._renew(outcome, f"{len(outcome.written)} captions written; ctrl+z undoes.")

    def action_undo_written(self) -> None:
        """Bring back what the last change has replaced."""
        changes = self._words.captions.files.changes() if self._words else []
        if changes and self._words and not self._is_writing:
            files = self._words.captions.files
            undo(self, files, changes[0], tell=self._say, done=self._undone)
        else:
            self._say("Nothing was written that could be undone.")

    def _undone(self, change: Change, outcome: Outcome) -> None:
        self._renew(outcome, f"Undone: {change.title}.")

    def _renew(self, outcome: Outcome, said: str) -> None:
        """Show the captions as they stand in their files now."""
        self._written.update(outcome.written)
        self._say(f"{said}{tags_said.left_words(outcome)}")
        self.app.touch()
        if self._config:
            self._read(self._config)

    def action_back(self) -> None:
        """Out of the filter, or back to the pictures; what is decided is kept."""
        field = self.query_one("#filter", Input)
        if field.has_focus or field.value:
            field.value = ""
            self.query_one("#filter-field").remove_class("-on")
            self.query_one(LongList).focus()
        elif not self._is_writing:
            self.dismiss(self._written)

    def action_set_tokens(self) -> None:
        """Take the length that the longest caption asks for."""
        config = self._config
        if not (self._longest and self._longest.mends and self._words and config):
            return
        for key, value in self._longest.mends[0].values.items():
            self.app.draft.put(key, value)
            captions = config.captions.model_copy(update={key.partition(".")[2]: value})
            config = config.model_copy(update={"captions": captions})
        self._config = config
        self.app.touch()
        self._count(self._words, config)

    def _decided(self) -> None:
        assert self._words
        tags.remember(self.app.draft, self._words)
        self._show_decided()
        self.query_one(LongList).refresh()

    def _show_decided(self) -> None:
        if self._words is None:
            return
        say(self.query_one("#advice", Static), shown("\n".join(tags_said.advice(self._words))))
        summary = self._words.summary()
        if summary:
            self._say(f"Decided: {summary}. Nothing is written yet: w does.")
        elif str(self.query_one("#told", Static).content).startswith("Decided"):
            self._say("")

    def _say(self, text: str) -> None:
        self.query_one("#told", Static).update(shown(text))

    def _fail(self, error: WizardError) -> None:
        self._is_writing = False
        self._say(f"{error.title}: {error.message} {error.remedy}")
