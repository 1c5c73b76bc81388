"""When a run is to end by itself, and what follows it: asked before the start, kept as facts of the
draft, and in no TOML."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from ...core.errors import WizardError
from ...core.estimates.figures import parse_price
from ...core.run.asked_limits import LimitError, limits
from ...core.run.limits import Limits
from ...core.secret import holds_secret
from .draft import Draft

PRICE = "price_per_hour"


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


def problem(draft: Draft, fact: str) -> str:
    """What is wrong with an answer, and what to do; empty when it can be used."""
    text = draft.fact(fact).strip()
    if fact == "max_cost" and text and not _is_priced(draft):
        return "Say first what an hour on this machine costs."
    if fact == "then" and holds_secret(text):
        return "It holds an access token: let the command read it from the environment."
    if fact == PRICE:
        return "It is no price." if text and parse_price(text) is None else ""
    try:
        _limits(draft, {fact: text})
    except LimitError as error:
        return f"{error.title}. {error.remedy}".rstrip()
    return ""


def wrong(draft: Draft) -> Question | None:
    """The first answer that cannot be used."""
    return next((asked for asked in QUESTIONS if problem(draft, asked.fact)), None)


def of(draft: Draft) -> Limits:
    """The limits of a start now. Raises WizardError with the first answer that cannot be used."""
    if asked := wrong(draft):
        text = draft.fact(asked.fact)
        raise WizardError(f"{asked.label}: {text}", problem(draft, asked.fact))
    return _limits(draft, {asked.fact: draft.fact(asked.fact).strip() for asked in QUESTIONS})


def _limits(draft: Draft, answers: dict[str, str]) -> Limits:
    return limits(
        until=answers.get("until", ""),
        max_time=answers.get("max_time", ""),
        max_cost=answers.get("max_cost", ""),
        price=draft.fact(PRICE),
        then=answers.get("then", ""),
    )


def arguments(draft: Draft) -> str:
    """For the command that runs the same without the wizard: what can be used of the answers,
    quoted, behind a blank; empty for none."""
    said: list[str] = []
    for asked in QUESTIONS:
        text = draft.fact(asked.fact).strip()
        if text and not problem(draft, asked.fact):
            # What looks like an option has to be tied to its own.
            said += [f"{asked.option}={text}"] if text[0] == "-" else [asked.option, text]
            said += ["--price", draft.fact(PRICE).strip()] if asked.fact == "max_cost" else []
    return "".join(f" {shlex.quote(word)}" for word in said)


def in_short(draft: Draft) -> str:
    """The answers in a few words; not yet safe to show."""
    until, time, cost, then = (draft.fact(asked.fact).strip() for asked in QUESTIONS)
    ends = [f"at {until}"] if until else []
    ends += [f"after {time}"] if time else []
    ends += [f"after {cost} in money"] if cost else []
    said = " or ".join(ends) or "when it is done"
    return f"{said}; then {then}" if then else said


def _is_priced(draft: Draft) -> bool:
    known = parse_price(draft.fact(PRICE))
    return known is not None and bool(known.amount)
