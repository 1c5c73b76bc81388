"""The line of keys at the bottom."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

from textual import events
from textual.content import Content
from textual.screen import Screen
from textual.widget import Widget

_NOTCH = 4
"""Cells that a notch of the mouse's wheel moves keys that do not fit."""

_BLANK = 1
"""Cells behind the last key, which may go."""
_FUNCTION_KEY = re.compile(r"f\d+")


def key_name(key: str) -> str:
    """A key as it stands on the keyboard: F2, not f2."""
    return key.upper() if _FUNCTION_KEY.fullmatch(key) else key


class _Key(NamedTuple):
    key: str
    """As it is pressed."""
    display: str
    """As it is shown."""
    words: str
    is_enabled: bool
    tooltip: str
    is_everywhere: bool = False
    """Whether it is the app's, and not the screen's."""

    @property
    def cells(self) -> int:
        return self.content().cell_length

    def content(self, *, is_under_mouse: bool = False) -> Content:
        back = "$block-hover-background" if is_under_mouse else ""
        faint = "" if self.is_enabled else "dim "
        on_key = back or "$footer-key-background"
        on_words = back or "$footer-description-background"
        words = f"{self.words} " if self.words else ""
        return Content.styled(
            f" {self.display} ", f"bold {faint}$footer-key-foreground on {on_key}"
        ) + Content.styled(words, f"{faint}$footer-description-foreground on {on_words}")


class Footer(Widget):
    """The keys that do something now, in one widget: Textual's own is made of one for each key,
    which costs a fifth of what opening a screen takes.

    Where there is no room for all, the way out and the help stay, and the screen's own keys are
    cut at the end; the wheel moves them.
    """

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    Footer { dock: bottom; height: 1; color: $footer-foreground; background: $footer-background; }
    """

    def __init__(self, *, show_command_palette: bool = True) -> None:
        super().__init__()
        self._shows_palette = show_command_palette
        self._keys: list[_Key] = []
        self._palette: _Key | None = None
        self._scrolled = 0
        self._under_mouse: _Key | None = None

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, self._look)

    def on_unmount(self) -> None:
        self.screen.bindings_updated_signal.unsubscribe(self)

    def _look(self, screen: Screen[object]) -> None:
        """See whether there is anything new to show."""
        if not self.app.app_focus:
            return
        shown: dict[str, _Key] = {}
        palette = None
        for pressed, (node, binding, enabled, tooltip) in screen.active_bindings.items():
            display = self.app.get_key_display(binding)
            hint = tooltip or binding.description
            everywhere = node is self.app
            key = _Key(binding.key, display, binding.description, enabled, hint, everywhere)
            if binding.show:
                # Of several keys for the same, the first is shown.
                shown.setdefault(binding.action, key)
            if pressed == self.app.COMMAND_PALETTE_BINDING and self._shows_palette:
                palette = key
        keys = sorted(shown.values(), key=lambda key: key.is_everywhere)
        if (keys, palette) != (self._keys, self._palette):
            self._keys, self._palette, self._scrolled = keys, palette, 0
            self._under_mouse = None
            self.refresh()

    def render(self) -> Content:
        keys = self._content(self._own)
        if self._is_cut:
            # Half a key says nothing; when they are moved, it says that there are more.
            whole = keys[self._scrolled :] if self._scrolled else self._content(self._that_fit)
            keys = whole.truncate(self._room_of_own, pad=True)
        keys += self._content(self._everywhere)
        if self._palette is None:
            return keys
        palette = self._content([self._shown_palette])
        return Content.assemble(
            keys.truncate(self._room, pad=True), ("▏", "$foreground 20%"), palette[1:]
        )

    def _content(self, keys: Sequence[_Key | None]) -> Content:
        under = self._under_mouse
        return Content("").join(
            key.content(is_under_mouse=under is not None and key.key == under.key)
            for key in keys
            if key
        )

    @property
    def _own(self) -> list[_Key]:
        return [key for key in self._keys if not key.is_everywhere]

    @property
    def _everywhere(self) -> list[_Key]:
        return [key for key in self._keys if key.is_everywhere]

    @property
    def _shown_palette(self) -> _Key | None:
        """Without its word where there is no room for it."""
        if self._palette is None:
            return None
        cells = sum(key.cells for key in self._keys) + self._palette.cells - _BLANK
        return self._palette if cells <= self.size.width else self._palette._replace(words="")

    @property
    def _room(self) -> int:
        """Cells for the keys, beside the palette's, which has a line in place of its first."""
        palette = self._shown_palette
        return max(0, self.size.width - (palette.cells if palette else 0))

    @property
    def _room_of_own(self) -> int:
        return max(0, self._room - sum(key.cells for key in self._everywhere) + _BLANK)

    @property
    def _that_fit(self) -> list[_Key]:
        ends = accumulate(key.cells for key in self._own)
        return [key for key, end in zip(self._own, ends, strict=True) if end <= self._room_of_own]

    @property
    def _is_cut(self) -> bool:
        return sum(key.cells for key in self._own) > self._room_of_own

    def _at(self, x: int) -> _Key | None:
        if x >= self._room:
            return self._palette
        end, keys = 0, self._keys
        if self._is_cut:
            is_own = x < self._room_of_own
            end, keys = (
                (-self._scrolled, self._own) if is_own else (self._room_of_own, self._everywhere)
            )
        for key in keys:
            end += key.cells
            if x < end:
                return key
        return None

    def on_mouse_move(self, event: events.MouseMove) -> None:
        self._hover(self._at(event.x))

    def on_leave(self) -> None:
        self._hover(None)

    def _hover(self, key: _Key | None) -> None:
        if key is not self._under_mouse:
            self._under_mouse = key
            self.tooltip = key.tooltip if key else None
            self.refresh()

    def on_mouse_down(self, event: events.MouseDown) -> None:
        key = self._at(event.x)
        if key and key.is_enabled:
            self.app.simulate_key(key.key)
        elif key:
            self.app.bell()

    def on_mouse_scroll_down(self) -> None:
        self._scroll(_NOTCH)

    def on_mouse_scroll_up(self) -> None:
        self._scroll(-_NOTCH)

    def _scroll(self, cells: int) -> None:
        most = max(0, sum(key.cells for key in self._own) - self._room_of_own)
        self._scrolled = max(0, min(most, self._scrolled + cells))
        self.refresh()
