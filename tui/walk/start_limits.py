"""When a run is to end by itself, and what follows it: asked before the start, kept as facts of the
draft, and in no TOML."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field
from typing import Protocol

from ...core.errors import WizardError
from ...core.estimates.figures import parse_price
from ...core.run.asked_limits import LimitError, limits
from ...core.run.limits import Limits
from ...core.secret import holds_secret
from .draft import drafts

PRICE = "price_per_hour"


class Answers(Protocol):
    """Where answers are kept: a draft, or `OfOneStart`."""

    def fact(self, name: str) -> str:
        """The answer; empty for none."""
        ...

    def note(self, name: str, text: str) -> None:
        """Keep an answer."""
        ...


@dataclass
class OfOneStart:
    """Answers for going on with a run, which has no draft."""

    facts: dict[str, str] = field(default_factory=dict)

    @classmethod
    def with_known_price(cls) -> OfOneStart:
        """With the price of an hour that the last draft knows."""
        prices = (draft.fact(PRICE) for draft in drafts())
        return cls({PRICE: next(filter(None, prices), "")})

    def fact(self, name: str) -> str:
        return self.facts.get(name, "")

    def note(self, name: str, text: str) -> None:
        self.facts[name] = text


@dataclass(frozen=True)
class Question:
    """One thing that can be asked for at a start."""

    fact: str
    """Its name in the draft, and that of `limits`' argument."""
    label: str
    example: str
    help: str

    @property
    def option(self) -> str:
        """Of `lora-wizard train`."""
        return f"--{self.fact.replace('_', '-')}"


QUESTIONS = (
    Question(
        "until",
        "Until",
        "18:30",
        "A time on this machine's clock, or 2026-11-22 06:00: by then everything is saved.",
    ),
    Question("max_time", "At most this long", "2h30m", "Counted from the start; 90min, 1.5h, too."),
    Question("max_cost", "At most this much", "5", "Of money, at the price of an hour."),
    Question(
        "then",
        "Command afterwards",
        "sudo poweroff",
        "For when it has finished, failed or "
        "reached its limit, not when you stop it yourself. It finds LORA_WIZARD_RUN, "
        "LORA_WIZARD_OUTCOME and LORA_WIZARD_FILE in its environment.",
    ),
)


PRICE_QUESTION = Question(
    PRICE, "Price of an hour", "$0.79", "Of this machine, in any currency: for the cost."
)


def problem(answers: Answers, fact: str) -> str:
    """What is wrong with an answer, and what to do; empty when it can be used."""
    text = answers.fact(fact).strip()
    if fact == "max_cost" and text and not _is_priced(answers):
        return "Say first what an hour on this machine costs."
    if fact == "then" and holds_secret(text):
        return "It holds an access token: let the command read it from the environment."
    if fact == PRICE:
        return "It is no price." if text and parse_price(text) is None else ""
    try:
        _limits(answers, {fact: text})
    except LimitError as error:
        return f"{error.title}. {error.remedy}".rstrip()
    return ""


def wrong(answers: Answers) -> Question | None:
    """The first answer that cannot be used."""
    return next((asked for asked in QUESTIONS if problem(answers, asked.fact)), None)


def of(answers: Answers) -> Limits:
    """The limits of a start now. Raises WizardError with the first answer that cannot be used."""
    if asked := wrong(answers):
        text = answers.fact(asked.fact)
        raise WizardError(f"{asked.label}: {text}", problem(answers, asked.fact))
    return _limits(answers, {asked.fact: answers.fact(asked.fact).strip() for asked in QUESTIONS})


def _limits(known: Answers, answers: dict[str, str]) -> Limits:
    return limits(
        until=answers.get("until", ""),
        max_time=answers.get("max_time", ""),
        max_cost=answers.get("max_cost", ""),
        price=known.fact(PRICE),
        then=answers.get("then", ""),
    )


def arguments(answers: Answers) -> str:
    """For the command that runs the same without the wizard: what can be used of the answers,
    quoted, behind a blank; empty for none."""
    said: list[str] = []
    for asked in QUESTIONS:
        text = answers.fact(asked.fact).strip()
        if text and not problem(answers, asked.fact):
            # What looks like an option has to be tied to its own.
            said += [f"{asked.option}={text}"] if text[0] == "-" else [asked.option, text]
            said += ["--price", answers.fact(PRICE).strip()] if asked.fact == "max_cost" else []
    return "".join(f" {shlex.quote(word)}" for word in said)


def in_short(answers: Answers) -> str:
    """The answers in a few words; not yet safe to show."""
    until, time, cost, then = (answers.fact(asked.fact).strip() for asked in QUESTIONS)
    ends = [f"at {until}"] if until else []
    ends += [f"after {time}"] if time else []
    ends += [f"after {cost} in money"] if cost else []
    said = " or ".join(ends) or "when it is done"
    return f"{said}; then {then}" if then else said


def _is_priced(answers: Answers) -> bool:
    known = parse_price(answers.fact(PRICE))
    return known is not None and bool(known.amount)
