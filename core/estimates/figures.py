"""A predicted number with what it rests on, in words for people."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """Something predicted, between ``low`` and ``high``: bytes, seconds or money."""

    low: float
    high: float
    text: str
    """``about 3.9 GB``, ``rough: 10 to 20 min``."""
    basis: str
    """What it rests on."""


@dataclass(frozen=True)
class Price:
    """Of an hour, in any currency."""

    amount: float
    currency: str = ""
    """As the person wrote it."""


_PRICE = re.compile(
    r"\s*([^\d.,\s+-]{0,4})\s*(\d+(?:[.,]\d+)?)\s*([^\d.,\s/+-]{0,4})\s*(?:/\s*h)?\s*"
)


def parse_price(text: str) -> Price | None:
    """A price an hour as people write it: ``0.79``, ``$0.79``, ``0,79 EUR/h``; None for anything
    else."""
    match = _PRICE.fullmatch(text)
    if match is None:
        return None
    return Price(float(match[2].replace(",", ".")), match[1] or match[3])


def cost(time: Figure, price: Price) -> Figure:
    """What so much time costs."""
    low, high = time.low / 3600 * price.amount, time.high / 3600 * price.amount
    money = _money(low)
    if _money(high) != money:
        money = f"{money} to {_money(high)}"
    unit = f" {price.currency}" if price.currency else ""
    return Figure(low, high, f"about {money}{unit}", f"{price.amount:g}{unit} an hour")


def duration_text(seconds: float) -> str:
    """``45 s``, ``12 min``, ``1 h 20 min``: two figures, not more than is known."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    minutes = math.ceil(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    hours, rest = divmod(round(minutes / 5) * 5, 60)
    if hours >= 10 or not rest:
        return f"{round(minutes / 60)} h"
    return f"{hours} h {rest} min"


def span_text(low: float, high: float) -> str:
    """Two durations, or one where both read alike."""
    first, last = duration_text(low), duration_text(high)
    if first == last:
        return last
    if first.split()[1:] == last.split()[1:]:
        first = first.split()[0]
    return f"{first} to {last}"


def _money(amount: float) -> str:
    return f"{amount:.2f}" if amount < 100 else f"{amount:,.0f}"
