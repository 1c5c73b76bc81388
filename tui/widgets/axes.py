"""Round numbers for the axes of a plot that grows: they hold for a while, so that little of the
plot changes from step to step."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ...core.run.history import Column

_LOADS = (1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)
_UNITS = (1.0, 2.0, 2.5, 5.0, 10.0)
_LEAST_STEPS = 20
_OUTLIERS = 0.02
_SAME = 1e-6
"""Of a value: what differs by less is one value, rounded differently."""
_TINIEST = 1e-100


def last_step_shown(step: int, total: int | None) -> int:
    """Where the axis of steps ends: round, not much beyond ``step``, at most ``total``."""
    least = max(_LEAST_STEPS, step)
    unit = 10 ** math.floor(math.log10(least))
    rounded = math.ceil(next(load * unit for load in _LOADS if load * unit >= least))
    return min(rounded, max(total, step)) if total else rounded


@dataclass(frozen=True)
class Scale:
    """An axis of values from ``low`` to ``high``."""

    low: float
    high: float
    is_log: bool = False

    @classmethod
    def around(cls, columns: Sequence[Column], *, is_log: bool = False) -> Scale:
        """What holds the smoothed line and all but the wildest single values."""
        lows, highs = sorted(item.low for item in columns), sorted(item.high for item in columns)
        spare = int(len(columns) * _OUTLIERS)
        low = min(lows[spare], *(item.smoothed for item in columns))
        high = max(highs[-1 - spare], *(item.smoothed for item in columns))
        if is_log and high > 0:
            positive = [item.low for item in columns if item.low > 0]
            low = max(low, min(positive, default=high), high * 1e-6, _TINIEST)
            high = max(high, low)
            return cls(_down(low), _up(high if high > low else low * 2), is_log=True)
        largest = max(abs(low), abs(high))
        span = high - low if high - low > _SAME * largest else largest
        unit = _unit(max(span, _TINIEST) if span else 1.0)
        low, high = math.floor(low / unit) * unit, math.ceil(high / unit) * unit
        return cls(low, high if high > low else low + unit)

    def marks(self, most: int) -> list[float]:
        """Round values within, from low to high, about ``most`` of them."""
        if self.is_log:
            powers = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
            for loads in ((1, 2, 5), (1, 3), (1,)):
                found = [load * 10.0**power for power in powers for load in loads]
                found = [value for value in found if self.low <= value * 1.001 <= self.high * 1.002]
                if len(found) <= most:
                    break
            return found[:: -(-len(found) // most)] if found else [self.low, self.high]
        raw = (self.high - self.low) / most
        power = 10.0 ** math.floor(math.log10(raw))
        unit = next(load * power for load in _UNITS if load * power >= raw * (1 - _SAME))
        first, last = math.ceil(self.low / unit - _SAME), math.floor(self.high / unit + _SAME)
        return [count * unit for count in range(first, last + 1)]

    def place(self, value: float) -> float:
        """Where a value stands: 0 for ``low``, 1 for ``high``, within 0 and 1."""
        if self.is_log:
            value, low, high = (math.log(max(v, self.low)) for v in (value, self.low, self.high))
        else:
            low, high = self.low, self.high
        return min(1.0, max(0.0, (value - low) / (high - low)))

    def value(self, place: float) -> float:
        """The value at a place."""
        if self.is_log:
            return self.low * (self.high / self.low) ** place
        return self.low + (self.high - self.low) * place


def number_text(value: float) -> str:
    """A label of at most seven characters."""
    if value and not 1e-3 <= abs(value) < 1e4:
        text = f"{value:.1e}"
        return text if len(text) <= 7 else f"{value:.0e}"
    if abs(value) >= 1000:
        return f"{value:.0f}"
    text = f"{value:.3g}"
    return text if len(text) <= 7 else f"{value:.2g}"


def _unit(span: float) -> float:
    """A round number, a quarter to a tenth of ``span``."""
    power = 10 ** math.floor(math.log10(span))
    return power / 4 if span / power < 2.5 else power / 2 if span / power < 5 else power


def _down(value: float) -> float:
    power = 10 ** math.floor(math.log10(value))
    return next(load * power for load in (5.0, 2.0, 1.0, 0.5) if load * power <= value)


def _up(value: float) -> float:
    power = 10 ** math.floor(math.log10(value))
    return next(load * power for load in (1.0, 2.0, 5.0, 10.0, 20.0) if load * power >= value)
