"""A field for a path, which completes what is typed and never waits for a disk."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from textual import events, on
from textual.geometry import Offset
from textual.message import Message
from textual.suggester import SuggestionReady
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from ..walk.paths import Begun, Entries, Entry, begun, list_entries, pictures_text
from .text import SafeInput, shown

FOLDERS: tuple[str, ...] = ()
"""Only folders are completed. Otherwise the endings of files, in small letters."""

_ROWS = 8
_MOST_ROWS = 40
_FRESH = 3.0
"""Seconds after which a folder is listed again."""
_under_way: set[tuple[str, tuple[str, ...]]] = set()
"""Listings that have not come back: one that hangs is not asked for again at each key."""


class PathMatches(OptionList, can_focus=False):
    """The list below a `PathInput`. The keys are the input's."""

    DEFAULT_CSS = """
    PathMatches {
        overlay: screen; constrain: inside inflect; display: none;
        padding: 0; border: none; background: $panel;
    }
    """

    def __init__(self, owner: PathInput) -> None:
        super().__init__(markup=False, compact=True)
        self.owner = owner

    @on(OptionList.OptionSelected)
    def _clicked(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.owner.take(event.option_index)


class PathInput(SafeInput):
    """A path. Tab or the right arrow take the suggestion, down and up with enter one of the list.

    Relative paths count from ``base``. ``endings`` are those of files that may be chosen, `FOLDERS`
    for none; ``counts`` shows how many pictures are in a folder. ``down_opens`` is for a place
    where down leads nowhere else.
    """

    class _Listed(Message):
        def __init__(self, folder: Path, entries: Entries) -> None:
            super().__init__()
            self.folder, self.entries = folder, entries

    class _Counted(Message):
        def __init__(self, found: dict[Path, str]) -> None:
            super().__init__()
            self.found = found

    def __init__(
        self,
        value: str = "",
        *,
        base: Path | None = None,
        endings: tuple[str, ...] = FOLDERS,
        counts: bool = False,
        down_opens: bool = False,
        **input_options: Any,
    ) -> None:
        super().__init__(value, select_on_focus=False, **input_options)
        self.base = base or Path.cwd()
        self.endings = endings
        self.counts = counts
        self.down_opens = down_opens
        self._listed: dict[Path, tuple[float, Entries]] = {}
        self._counted: dict[Path, str] = {}
        self._matches: list[Entry] = []
        self._begun: Begun | None = None
        self._best = ""
        self._list: PathMatches | None = None

    @property
    def is_open(self) -> bool:
        """Whether the list is shown."""
        return bool(self._list and self._list.display)

    def holds_preset(self, holds: bool) -> None:
        """Typing takes the place of a preset's path, which is no beginning of another."""
        if holds and not self.select_on_focus and self.has_focus:
            self.select_all()
        self.select_on_focus = holds

    def open(self) -> None:
        """Show what the path can go on with, as soon as that is known."""
        self._begun = begun(self.value, self.base)
        if self._begun is None or not self.has_focus:
            self.close()
            return
        when, entries = self._listed.get(self._begun.folder, (0.0, None))
        if entries is None or time.monotonic() - when > _FRESH:
            self._ask_for(self._begun.folder)
        if entries is None:
            self.close()
        else:
            self._show(self._begun, entries)

    def close(self) -> None:
        """Take the list away."""
        self._best = ""
        if self._list and self._list.display:
            # Textual may forget what stood here, when somebody asks for a region before it lays
            # the screen out again: then it would not paint what is below.
            self.screen.refresh(self._list.region)
            self._list.display = False

    def take(self, row: int) -> None:
        """Put the match of a row into the path."""
        if self._begun and row < len(self._matches):
            self._complete(self._begun.head + self._matches[row].text)

    async def _on_key(self, event: events.Key) -> None:
        if self._handle(event.key):
            event.stop()
            event.prevent_default()
        else:
            await super()._on_key(event)

    def _handle(self, key: str) -> bool:
        """Whether the key was for the suggestion or the list."""
        if key == "tab" and self._best and self.cursor_position == len(self.value):
            self._complete(self._best)
        elif key == "down" and self.down_opens and not self.is_open:
            self.open()
        elif not self.is_open or self._list is None:
            return False
        elif key == "down":
            self._list.action_cursor_down()
        elif key == "up":
            self._list.action_cursor_up()
        elif key == "escape":
            self.close()
        elif key == "enter" and self._list.highlighted is not None:
            self.take(self._list.highlighted)
        else:
            return False
        return True

    @on(Input.Changed)
    def _path_typed(self) -> None:
        self.open()

    def on_blur(self) -> None:
        self.close()

    async def on_unmount(self) -> None:
        if self._list and self._list.is_attached:
            await self._list.remove()

    @on(_Listed)
    def _listing_came(self, event: _Listed) -> None:
        event.stop()
        known = self._listed.get(event.folder)
        self._listed = dict(list(self._listed.items())[-20:])
        self._listed[event.folder] = (time.monotonic(), event.entries)
        wanted = self._begun and self._begun.folder == event.folder
        # What is only fresher does not move the list under somebody's hands.
        if wanted and known is None:
            self.open()

    @on(_Counted)
    def _counts_came(self, event: _Counted) -> None:
        event.stop()
        self._counted.update(event.found)
        if not self.is_open or self._list is None or self._begun is None:
            return
        for row, entry in enumerate(self._matches):
            if self._begun.folder / entry.name in event.found:
                self._list.replace_option_prompt_at_index(row, self._row(self._begun, entry))

    def _complete(self, path: str) -> None:
        self.value = path
        self.cursor_position = len(path)

    def _show(self, wanted: Begun, entries: Entries) -> None:
        self._matches, total = entries.matching(wanted.begun, _MOST_ROWS)
        if not self._matches or (total == 1 and self._matches[0].name == wanted.begun):
            self.close()
            return
        self._suggest(wanted)
        if self._list is None:
            self._list = PathMatches(self)
            self.screen.mount(self._list)
        rows = [Option(self._row(wanted, entry)) for entry in self._matches]
        if total > len(rows):
            rows.append(Option(f"and {total - len(rows)} more: type on", disabled=True))
        self._list.clear_options()
        self._list.add_options(rows)
        region = self.region
        self._list.absolute_offset = Offset(region.x, region.bottom)
        self._list.styles.width = max(20, region.width)
        self._list.styles.height = min(len(rows), _ROWS)
        self._list.display = True
        self._list.refresh(layout=True)
        if self.counts:
            self._count(wanted)

    def _suggest(self, wanted: Begun) -> None:
        """The first match in grey behind the cursor, unless the name could already be whole."""
        fits = [entry for entry in self._matches if entry.name.startswith(wanted.begun)]
        is_whole = any(entry.name == wanted.begun for entry in fits)
        self._best = wanted.head + fits[0].text if wanted.begun and fits and not is_whole else ""
        if self._best:
            self.post_message(SuggestionReady(self.value, self._best))

    def _row(self, wanted: Begun, entry: Entry) -> Any:
        text = shown(entry.text)
        count = self._counted.get(wanted.folder / entry.name, "") if entry.is_folder else ""
        text = text.append(f"  {count}") if count else text
        takes = self._best == wanted.head + entry.text
        return text.append("  \u25c2 tab takes it") if takes else text

    def _count(self, wanted: Begun) -> None:
        folders = [wanted.folder / entry.name for entry in self._matches[:_ROWS] if entry.is_folder]
        new = [folder for folder in folders if folder not in self._counted]
        if new:
            self._counted.update(dict.fromkeys(new, ""))
            self._in_thread(lambda: self._Counted(_all_counted(new)))

    def _ask_for(self, folder: Path) -> None:
        key = (str(folder), self.endings)
        if key in _under_way:
            return
        _under_way.add(key)

        def listing() -> Message:
            try:
                return self._Listed(folder, list_entries(folder, self.endings))
            finally:
                _under_way.discard(key)

        self._in_thread(listing)

    def _in_thread(self, work: Callable[[], Message]) -> None:
        def run() -> None:
            message = work()
            # The screen may be gone by now.
            with contextlib.suppress(RuntimeError):
                self.post_message(message)

        # No worker: those are waited for at the end, and a folder that hangs hangs for ever.
        threading.Thread(target=run, daemon=True, name="list-folder").start()


def _all_counted(folders: Iterable[Path]) -> dict[Path, str]:
    return {folder: pictures_text(folder) for folder in folders}
