"""What Textual would do twice or keep for ever, and an app of forms can do without."""

from __future__ import annotations

from textual._styles_cache import StylesCache
from textual.app import App
from textual.css.model import RuleSet
from textual.dom import DOMNode
from textual.screen import Screen

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


def fit(screen: Screen[None]) -> None:
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
    """From now on ``app`` lets go of the lines of a screen when another one comes.

    Textual remembers the colours around a widget in a cache of 1024 entries whose key is the object
    that also holds every drawn line of that widget: hundreds of widgets stay drawn that nobody sees
    again, about 10 MB for a walk through the steps.
    """

    def forget(_: Screen[object]) -> None:
        StylesCache.get_inner_outer.cache_clear()

    app.screen_change_signal.subscribe(app, forget)
