"""What the screen of tags asks for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from textual.screen import Screen

from ...core.tags.kinds import KINDS, kind
from ...core.tags.table import Tag
from ..walk.tags import Words
from .ask import Ask
from .ask_words import AskWords

_Told = Callable[[str], object]
"""Gets what stands in the way, empty when nothing does; is not called when nothing is asked for."""


def ask_new(screen: Screen[Any], words: Words, tag: Tag, told: _Told) -> None:
    """Ask what a tag is to become."""

    def take(new: str | None) -> None:
        if new:
            told(words.replace(tag, new))

    screen.app.push_screen(AskWords(f"What does {tag.name} become?", tag.name), take)


def ask_for_all(screen: Screen[Any], words: Words, told: _Told) -> None:
    """Ask what is to be done in every caption, and with which tags."""

    def chosen(name: str | None) -> None:
        if not name:
            return
        asked = kind(name)
        if not asked.takes or asked.may_be_bare:
            told(words.for_all(name, ""))
            return

        def take(tags: str | None) -> None:
            if tags:
                told(words.for_all(name, tags))

        example = f"such as {asked.example}".replace('"', "")
        screen.app.push_screen(AskWords(asked.title, placeholder=example), take)

    choices = [(item.name, item.title) for item in KINDS if item.is_for_all]
    text = "It is done to all captions when they are written, after what is decided here."
    screen.app.push_screen(Ask("In every caption", text, choices), chosen)
