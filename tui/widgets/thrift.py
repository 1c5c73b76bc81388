"""What Textual would do twice or keep for ever, and an app of forms can do without."""

from __future__ import annotations

import gc
from collections.abc import Iterable
from typing import Any

from rich.segment import Segment
from textual._styles_cache import StylesCache
from textual.app import App
from textual.cache import FIFOCache
from textual.css.model import RuleSet
from textual.dom import DOMNode
from textual.screen import Screen
from textual.strip import Strip
from textual.timer import Timer

_PAUSE = 0.4
"""Seconds after which a screen has been drawn."""

# Each widget's styles are found by looking all rules up in a set: 100,000 times for a screen, so
# it is felt whether Python or C says that a rule equals only itself.
RuleSet.__hash__ = object.__hash__


class ThriftyApp(App[None]):
    """An app that does not spend twice."""

    def update_styles(self, node: DOMNode, animate: bool = True) -> None:
        """Find the styles of ``node`` and of what is in it; of what is on no screen yet, they will
        be found when it gets there."""
        if node.parent is not None or node is self:
            super().update_styles(node, animate)


def fit(screen: Screen[Any]) -> None:
    """Give ``screen`` the classes of its size, before its widgets are made: Textual does it after
    it has laid them out, and then lays them out again."""
    width, height = screen.app.size
    for size, breakpoints in (
        (width, screen.HORIZONTAL_BREAKPOINTS),
        (height, screen.VERTICAL_BREAKPOINTS),
    ):
        reached = [name for least, name in sorted(breakpoints or ()) if size >= least]
        if reached:
            screen.add_class(reached[-1], update=False)


def forget_closed_screens(app: App[None]) -> None:
    """From now on ``app`` lets go of a screen that was closed, as soon as the next one is there."""
    pending: list[Timer] = []

    def changed(_: Screen[object]) -> None:
        for timer in pending:
            timer.stop()
        pending[:] = [app.set_timer(_PAUSE, forget)]

    def forget() -> None:
        # Its key is the object that holds every drawn line of a widget: of 1024 widgets.
        StylesCache.get_inner_outer.cache_clear()
        # A text area watches the app's theme, and is kept for it, with its text.
        for watchers in getattr(app, "__watchers", {}).values():
            watchers[:] = [entry for entry in watchers if entry[0].is_attached]
        # A widget holds the message that it got last, which holds the screen that sent it.
        for screen in app.screen_stack[:-1]:
            for widget in screen.walk_children():
                widget.call_later(_nothing)
        # Screens and widgets hold each other; Python would look for them when there are many.
        app.call_later(gc.collect)

    app.screen_change_signal.subscribe(app, changed)


def _nothing() -> None:
    pass


def _init(self: Strip, segments: Iterable[Segment], cell_length: int | None = None) -> None:
    self._segments = list(segments)
    self._cell_length = cell_length
    self._render_cache = self._link_ids = self._cell_count = None


def _make_cache(self: Strip, name: str) -> FIFOCache[Any, Any]:
    if name not in CACHES:
        raise AttributeError(name)
    cache: FIFOCache[Any, Any] = FIFOCache(CACHES[name])
    setattr(self, name, cache)
    return cache


CACHES = {
    "_divide_cache": 4,
    "_crop_cache": 16,
    "_style_cache": 16,
    "_filter_cache": 4,
    "_line_length_cache": 4,
    "_crop_extend_cache": 4,
    "_offsets_cache": 4,
}
"""What a drawn line remembers, and how much of it."""
_REST = {"_segments", "_cell_length", "_render_cache", "_link_ids", "_cell_count"}

# There are thousands of drawn lines, and Textual gives each of them all caches, of which most are
# never used: a kilobyte for a line. Here a line gets a cache when it is asked for.
if set(Strip.__slots__) == CACHES.keys() | _REST:
    Strip.__init__ = _init
    Strip.__getattr__ = _make_cache  # pyright: ignore[reportAttributeAccessIssue]
