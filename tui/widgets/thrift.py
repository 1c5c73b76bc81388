"""What Textual would keep of screens that are closed.

Textual remembers the colours around a widget in a cache of 1024 entries whose key is the object
that also holds every drawn line of that widget: hundreds of widgets stay drawn that nobody sees
again, about 10 MB for a walk through the steps.
"""

from __future__ import annotations

from textual._styles_cache import StylesCache
from textual.app import App
from textual.screen import Screen


def forget_closed_screens(app: App[None]) -> None:
    """From now on ``app`` lets go of the lines of a screen when another one comes."""

    def forget(_: Screen[object]) -> None:
        StylesCache.get_inner_outer.cache_clear()

    app.screen_change_signal.subscribe(app, forget)
