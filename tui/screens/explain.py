"""Help: what a screen is for, its keys, the option that has the focus, and the words."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import ClassVar

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen, Screen
from textual.widgets import Static

from ...core.config.options import OptionInfo
from ...core.config.sources import explained
from ..walk import guide
from ..widgets.fields import OptionField, label_of
from ..widgets.footer import Footer, key_name
from ..widgets.form import help_text
from ..widgets.text import shown
from .step import StepScreen

_COMMON = (
    ("tab, shift+tab", "to the next field, to the one before"),
    ("ctrl+p", "everything by its name: steps, save as, theme, home, quit"),
    ("ctrl+q", "leave; drafts are kept, and runs go on"),
    ("F1, ?", "this help; ? where nothing is typed"),
)
_IN_STEPS = (("enter", "to the next field; behind the last one to Next"),)
_TEXTUALS_OWN = ("app.focus", "screen.copy_text")
_KEY_WIDTH = 20


class HelpScreen(ModalScreen[None]):
    """Goes away with escape."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,f1,question_mark,q", "dismiss", "Back", key_display="esc"),
    ]
    DEFAULT_CSS = """
    HelpScreen { background: $background; }
    HelpScreen VerticalScroll { padding: 0 1; scrollbar-size-vertical: 1; }
    HelpScreen Static { max-width: 100; }
    """

    def __init__(self, text: Content) -> None:
        super().__init__()
        self._text = text

    def compose(self) -> ComposeResult:
        with VerticalScroll():
            yield Static(self._text)
        yield Footer()

    def on_mount(self) -> None:
        self.query_one(VerticalScroll).focus()


def explain(app: App[None]) -> None:
    """Open the help of the screen that is there."""
    if not isinstance(app.screen, HelpScreen):
        app.push_screen(HelpScreen(help_of(app.screen, min(app.size.width - 4, 98))))


def help_of(screen: Screen[object], width: int) -> Content:
    """All there is to say of ``screen`` and of what has the focus in it, in lines of ``width``."""
    parts: list[Content] = []
    words: list[tuple[str, str]] = []
    name = ""
    if isinstance(screen, StepScreen):
        name = screen.step.name
        said, more = screen.step.purpose, guide.STEPS.get(name, "")
        purpose = more if more.startswith(said) else f"{said} {more}"
        parts.append(_section(screen.step.title, purpose))
    elif screen.HELP:
        parts.append(_section("This screen", " ".join(screen.HELP.split())))
    if option := focused_option(screen):
        parts.append(_section(f"{label_of(option)}  ({option.key})", help_text(option)))
        words += [(guide_name, f"as in {what}") for guide_name, what in explained(option.source)]
    parts.append(_section("Keys", _table(_keys(screen), width)))
    parts.append(_section("Words", _table([*words, *guide.words(name)], width)))
    return Content("\n\n").join(parts)


def focused_option(screen: Screen[object]) -> OptionInfo | None:
    """The option whose field has the focus."""
    above = screen.focused.ancestors_with_self if screen.focused else ()
    return next((node.info for node in above if isinstance(node, OptionField)), None)


def _keys(screen: Screen[object]) -> list[tuple[str, str]]:
    own: dict[str, list[str]] = {}
    for active in screen.active_bindings.values():
        binding = active.binding
        is_own = active.node is screen and not binding.action.startswith(_TEXTUALS_OWN)
        if is_own and binding.description and active.enabled:
            key = binding.key.replace("escape", "esc").replace("slash", "/")
            own.setdefault(binding.tooltip or binding.description, []).append(key_name(key))
    rows = [(", ".join(keys), words) for words, keys in own.items()]
    return [*rows, *(_IN_STEPS if isinstance(screen, StepScreen) else ()), *_COMMON]


def _table(rows: Sequence[tuple[str, str]], width: int) -> str:
    indent = " " * _KEY_WIDTH
    return "\n".join(
        textwrap.fill(f"{name:<{_KEY_WIDTH}}{words}", width, subsequent_indent=indent)
        for name, words in rows
    )


def _section(title: str, text: str) -> Content:
    return Content.styled(title, "bold $primary") + Content("\n") + shown(text)
