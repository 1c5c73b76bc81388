"""Help: what a screen is for, its keys, the option that has the focus, and the words."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen, Screen
from textual.widgets import Footer, Static

from ...core.config.options import OptionInfo
from ..walk import guide
from ..widgets.fields import OptionField, label_of
from ..widgets.form import help_text
from ..widgets.text import shown
from .step import StepScreen

if TYPE_CHECKING:
    from ..app import WizardApp

_COMMON = (
    ("tab, shift+tab", "to the next field, to the one before"),
    ("ctrl+p", "everything by its name: steps, save as, theme, home, quit"),
    ("ctrl+q", "leave; drafts are kept, and runs go on"),
)
_IN_STEPS = (("enter", "to the next field; behind the last one to Next"),)
_KEY_WIDTH = 18


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


def explain(app: WizardApp) -> None:
    """Open the help of the screen that is there."""
    if not isinstance(app.screen, HelpScreen):
        app.push_screen(HelpScreen(help_of(app.screen)))


def help_of(screen: Screen[object]) -> Content:
    """All there is to say of ``screen`` and of what has the focus in it."""
    parts: list[Content] = []
    if isinstance(screen, StepScreen):
        step = screen.step
        parts.append(_section(step.title, f"{step.purpose} {guide.STEPS.get(step.name, '')}"))
    elif screen.HELP:
        parts.append(_section("This screen", " ".join(screen.HELP.split())))
    if option := focused_option(screen):
        parts.append(_section(f"{label_of(option)}  ({option.key})", help_text(option)))
    parts.append(_section("Keys", _keys(screen)))
    if isinstance(screen, StepScreen):
        words = guide.words(screen.step.name)
    else:
        words = guide.words("")
    parts.append(_section("Words", _table(words)))
    return Content("\n\n").join(parts)


def focused_option(screen: Screen[object]) -> OptionInfo | None:
    """The option whose field has the focus."""
    above = screen.focused.ancestors_with_self if screen.focused else ()
    return next((node.info for node in above if isinstance(node, OptionField)), None)


def _keys(screen: Screen[object]) -> str:
    own: dict[str, str] = {}
    for active in screen.active_bindings.values():
        binding = active.binding
        if active.node is screen and binding.description and active.enabled:
            key = screen.app.get_key_display(binding)
            own[binding.description] = f"{own.get(binding.description, '')} {key}".strip()
    rows = [(keys, f"{words}") for words, keys in own.items()]
    rows += _IN_STEPS if isinstance(screen, StepScreen) else ()
    return _table([*rows, *_COMMON])


def _table(rows: list[tuple[str, str]]) -> str:
    return "\n".join(f"{name:<{_KEY_WIDTH}}{words}" for name, words in rows)


def _section(title: str, text: str) -> Content:
    return Content.styled(title, "bold $primary") + Content("\n") + shown(text)
