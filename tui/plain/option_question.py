"""One option as one question."""

from __future__ import annotations

from dataclasses import replace

from ...core.config import values
from ...core.config.option_text import allowed_text, default_text
from ...core.config.options import OptionInfo
from ...core.config.sources import in_names
from ...core.errors import Problem
from ...core.secret import holds_secret
from ...core.text import printable
from ..walk.draft import Draft
from ..walk.option_words import choices, has_lines, is_list_of_texts, label_of
from .talk import CLEAR, KEEP, Talk, chosen

_YES_NO = {"y": "true", "yes": "true", "n": "false", "no": "false"}
_SHOWN = 300
"""Characters of a value in brackets."""


def ask_option(talk: Talk, draft: Draft, info: OptionInfo, *, again: bool = False) -> bool:
    """Ask until there is an answer that can be used, and put it into the draft; returns whether the
    draft has changed. With ``again``, what the question is has just been said. Raises BackError
    and LeaveError."""
    words = choices(info)
    if not again:
        talk.show()
        talk.show(label_of(info))
        talk.say(info.help, "  ")
        if problem := draft.problem(info.key):
            say_problem(talk, problem)
        if words:
            talk.show("  " + ", ".join(f"{at} {word}" for at, word in enumerate(words, 1)))
    while True:
        answer = _answer(talk, draft, info)
        if answer == KEEP:
            if (problem := draft.problem(info.key)) is None:
                return False
        else:
            text = _as_typed(info, answer, words)
            if (problem := _problem(info, text)) is None:
                before = draft.text
                draft.enter(info.key, text)
                return draft.text != before
        say_problem(talk, problem)


def is_askable(info: OptionInfo) -> bool:
    """Whether its value fits into lines of text: not so for a list of tables."""
    return info.allowed != "a list of tables"


def explain_option(talk: Talk, info: OptionInfo) -> None:
    """Everything that is known of an option, and how to answer."""
    talk.say(f"{label_of(info)} is {info.key} in the TOML. {info.help}")
    default = "There is no default." if info.required else f"Default: {default_text(info)}."
    talk.say(f"What may stand there: {allowed_text(info)}. {default}")
    if info.source:
        talk.say(f"Advice: {in_names(info.source)}.")
    if info.also:
        talk.say(f"In sd-scripts: {info.also}.")
    if has_lines(info):
        talk.say("Type one per line; an empty line ends the list.")
    elif is_list_of_texts(info):
        talk.say(f"Type them in one line, with {info.separator!r} between them.")
    talk.say(
        f"Enter keeps what stands in brackets, {CLEAR} goes back to the default or to nothing."
    )


def say_problem(talk: Talk, problem: Problem) -> None:
    """What is wrong and what to do about it; what is offered as a choice is not told, too."""
    where = f"{problem.where}: " if problem.where.startswith("/") else ""
    # What follows a remedy's first line is TOML or a command, to be copied.
    remedy, *lines = ("" if problem.mends else problem.remedy).split("\n")
    said = replace(problem, remedy=remedy).words
    talk.say(f"{problem.severity}: {where}{said}", "  ")
    for line in lines:
        talk.show(f"  {printable(line)}")


def _answer(talk: Talk, draft: Draft, info: OptionInfo) -> str:
    def explain() -> None:
        explain_option(talk, info)

    now = draft.shown(info.key)
    if not has_lines(info):
        return talk.ask(f"{label_of(info)} [{_shortened(now)}]:", explain)
    for line in now.splitlines():
        talk.show(f"  now: {_shortened(line)}")
    first = talk.ask(f"{label_of(info)} [{'none' if not now else 'as they are'}]:", explain)
    if first in (KEEP, CLEAR):
        return first
    lines = [first]
    while line := talk.ask("one more, or enter:", explain):
        lines.append(line)
    return "\n".join(lines)


def _as_typed(info: OptionInfo, answer: str, words: list[str]) -> str:
    if answer == CLEAR:
        # What has a default goes back to it; a text or a list may be empty.
        return values.as_text(info, info.default)
    if info.annotation is bool:
        return _YES_NO.get(answer.lower(), answer)
    at = chosen(answer, words) if words else None
    return answer if at is None else words[at]


def _problem(info: OptionInfo, text: str) -> Problem | None:
    if holds_secret(text):
        remedy = "Tokens come from the environment (HF_TOKEN) or `hf auth login`."
        return Problem("it looks like an access token, which no file should hold", remedy=remedy)
    value = values.parse(info, text)
    if value is None:
        return Problem("it cannot be left out", info.key) if info.required else None
    return values.problem(info.key, value)


def _shortened(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
