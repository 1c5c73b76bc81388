"""Limits as a person writes them."""

from __future__ import annotations

import contextlib
import re
from datetime import datetime, timedelta

from ..errors import WizardError
from ..estimates.figures import parse_price
from .limits import Limits
from .redaction import without_secrets

_UNITS = {"d": 86400.0, "h": 3600.0, "m": 60.0, "min": 60.0, "s": 1.0}
_PIECE = re.compile(r"(\d+(?:[.,]\d+)?)\s*(d|h|min|m|s)?")
_CLOCK = re.compile(r"(?:(\d{4}-\d{2}-\d{2})[ T])?(\d{1,2}):(\d{2})")


class LimitError(WizardError):
    """A limit cannot be understood."""


def limits(
    *,
    until: str = "",
    max_time: str = "",
    max_cost: str = "",
    price: str = "",
    then: str = "",
    now: datetime | None = None,
) -> Limits:
    """The earliest of what a person asks for. Raises LimitError for what cannot be understood.

    ``until``: ``18:30`` (the next one), ``2026-11-22 06:00``, on this machine's clock;
    ``max_time``: ``2h30m``, ``90 min``, ``45`` (minutes); ``max_cost``: ``5``, in the currency of
    ``price`` an hour.
    """
    now = now or datetime.now().astimezone()
    ends: list[tuple[datetime, str]] = []
    if until:
        moment = _moment(until, now)
        ends.append((moment, f"it is {moment:%H:%M}"))
    if max_time:
        ends.append((now + _duration(max_time), f"{max_time.strip()} are over"))
    if max_cost:
        ends.append((now + _affordable(max_cost, price), f"{max_cost.strip()} are spent"))
    if without_secrets(then) != then:
        raise LimitError(
            "The command for afterwards holds a secret",
            "It would be written into the run's folder.",
            "Put the secret into the environment, and let the command read it there.",
        )
    if not ends:
        return Limits(then=then)
    moment, because = min(ends)
    return Limits(moment.timestamp(), because, then)


def _moment(text: str, now: datetime) -> datetime:
    match = _CLOCK.fullmatch(text.strip())
    with contextlib.suppress(ValueError):
        if match:
            day = datetime.fromisoformat(match[1]).date() if match[1] else now.date()
            found = now.replace(
                year=day.year,
                month=day.month,
                day=day.day,
                hour=int(match[2]),
                minute=int(match[3]),
                second=0,
                microsecond=0,
            )
            if not match[1] and found <= now:
                found += timedelta(days=1)
            if found > now:
                return found
            raise LimitError(
                "The end is over already", f"--until {text}: it is {now:%Y-%m-%d %H:%M}."
            )
    raise LimitError(
        "The end cannot be understood", f"--until {text}", "Such as 18:30 or 2026-11-22 06:00."
    )


def _duration(text: str) -> timedelta:
    rest, seconds = text.strip().lower(), 0.0
    while rest and (match := _PIECE.match(rest)):
        seconds += float(match[1].replace(",", ".")) * _UNITS[match[2] or "min"]
        rest = rest[match.end() :].strip()
    if rest or not 0 < seconds < 1e8:
        raise LimitError(
            "The time cannot be understood", f"--max-time {text}", "Such as 2h, 2h30m or 90min."
        )
    return timedelta(seconds=seconds)


def _affordable(text: str, price: str) -> timedelta:
    cost, hourly = parse_price(text), parse_price(price)
    if cost is None or not cost.amount:
        raise LimitError("The cost cannot be understood", f"--max-cost {text}", "Such as 5.")
    if hourly is None or not hourly.amount:
        raise LimitError(
            "It is not known when so much is spent",
            f"--max-cost {text}",
            "Say what the machine costs an hour, such as --price 0.79.",
        )
    return timedelta(hours=min(cost.amount / hourly.amount, 1e4))
