"""The curves of a run, built from its events in flat memory, however long it is."""

from __future__ import annotations

import math
from dataclasses import dataclass

from .events import Event
from .status import SMOOTHING, integer, number

_MOST_BINS = 2048
_MOST_EPOCHS = 2048
_MOST_PARTS = 16


@dataclass(frozen=True, slots=True)
class Column:
    """The finite values of the steps from ``first_step`` to ``last_step``."""

    first_step: int
    last_step: int
    low: float
    high: float
    mean: float
    smoothed: float
    """The exponential mean at the last of them, without the pull to its beginning."""


@dataclass(frozen=True, slots=True)
class SampleMark:
    """A sample picture; ``path`` is relative to the run directory."""

    step: int
    epoch: int
    path: str
    prompt: str
    seed: int | None


@dataclass(frozen=True, slots=True)
class SaveMark:
    """A finished file; ``path`` is relative to the run directory."""

    step: int
    epoch: int
    path: str
    sha256: str
    bytes: int
    last: bool


class History:
    """What happened so far. `add` takes the events in the order of their file; a field of the wrong
    type counts as absent. Steps that come again after a resume replace the earlier ones."""

    def __init__(self) -> None:
        self.loss = Series()
        self.validation = Series()
        """The loss of pictures that are not trained on."""
        self.memory = Series()
        """Highest use of the GPU's memory so far, in bytes."""
        self.learning_rates: dict[str, Series] = {}
        """By part: ``unet``, ``text_encoder``."""
        self.last_step = 0
        self._epochs: list[tuple[int, int]] = []
        self._samples: dict[str, SampleMark] = {}
        self._saves: dict[str, SaveMark] = {}

    @property
    def epochs(self) -> list[tuple[int, int]]:
        """(first step, epoch) of the epochs begun, in order; of very many, some."""
        return list(self._epochs)

    @property
    def samples(self) -> list[SampleMark]:
        """By step, and by path within a step, which is the order of the prompts."""
        return sorted(self._samples.values(), key=lambda mark: (mark.step, mark.path))

    @property
    def saves(self) -> list[SaveMark]:
        """By step."""
        return sorted(self._saves.values(), key=lambda mark: (mark.step, mark.path))

    def add(self, event: Event) -> None:
        """Take one event into account."""
        handler = _HANDLERS.get(event.get("kind", ""))
        if handler is None:
            return
        step = integer(event.get("step"))
        if step is not None and step >= 0:
            handler(self, step, event)

    def _on_step(self, step: int, event: Event) -> None:
        if step <= self.last_step:
            self._rewind(step)
        self.last_step = step
        self.loss.add(step, number(event.get("loss")))
        memory = number(event.get("memory"))
        if memory is not None:
            self.memory.add(step, memory)
        rates = event.get("learning_rates")
        if isinstance(rates, dict):
            for part, rate in rates.items():
                series = self.learning_rates.get(part)
                if series is None and len(self.learning_rates) < _MOST_PARTS:
                    series = self.learning_rates[str(part)] = Series()
                if series is not None:
                    series.add(step, number(rate))
        epoch = integer(event.get("epoch"))
        if epoch is not None and (not self._epochs or epoch != self._epochs[-1][1]):
            self._epochs.append((step, epoch))
            if len(self._epochs) > _MOST_EPOCHS:
                del self._epochs[1::2]

    def _on_validation(self, step: int, event: Event) -> None:
        self.validation.add(step, number(event.get("loss")))

    def _on_sample(self, step: int, event: Event) -> None:
        path = str(event.get("path", ""))
        epoch, seed = integer(event.get("epoch")) or 0, integer(event.get("seed"))
        prompt = str(event.get("prompt", ""))
        self._samples[path] = SampleMark(step, epoch, path, prompt, seed)

    def _on_saved(self, step: int, event: Event) -> None:
        path, sha256 = str(event.get("path", "")), str(event.get("sha256", ""))
        epoch, size = integer(event.get("epoch")) or 0, integer(event.get("bytes")) or 0
        last = event.get("last") is True
        self._saves[path] = SaveMark(step, epoch, path, sha256, size, last)

    def _rewind(self, step: int) -> None:
        for series in (self.loss, self.validation, self.memory, *self.learning_rates.values()):
            series.forget_from(step)
        while self._epochs and self._epochs[-1][0] >= step:
            self._epochs.pop()


_HANDLERS = {
    "step": History._on_step,
    "validation": History._on_validation,
    "sample": History._on_sample,
    "saved": History._on_saved,
}


class _Bin:
    """The values of some neighbouring steps."""

    __slots__ = ("count", "first", "high", "last", "low", "mean", "missing", "total", "weight")

    def __init__(self, step: int, mean: float, weight: float) -> None:
        self.first = self.last = step
        self.low, self.high = math.inf, -math.inf
        self.total, self.count, self.missing = 0.0, 0, 0
        # The exponential mean after the last value, still pulled to its beginning, and that pull.
        self.mean, self.weight = mean, weight


class Series:
    """One figure over the steps, in at most 2,048 bins: of one step each at first, and of twice as
    many whenever there are too many bins.

    Up to then nothing is lost. Beyond, what is forgotten after a resume may leave its trace in one
    bin, the one that the resume cuts through.
    """

    def __init__(self) -> None:
        self._bins: list[_Bin] = []
        self._width = 1

    def __bool__(self) -> bool:
        return bool(self._bins)

    @property
    def first_step(self) -> int:
        """Of the steps that are known; 0 before there is one."""
        return self._bins[0].first if self._bins else 0

    @property
    def last_step(self) -> int:
        """Of the steps that are known; 0 before there is one."""
        return self._bins[-1].last if self._bins else 0

    @property
    def smoothed(self) -> float | None:
        """The exponential mean now."""
        now = self._bins[-1] if self._bins else None
        return now.mean / now.weight if now and now.weight else None

    @property
    def not_finite(self) -> list[int]:
        """Steps whose value was none; of neighbours in a bin, its first."""
        return [item.first for item in self._bins if item.missing]

    def add(self, step: int, value: float | None) -> None:
        """The value at ``step``, None where it is no number. Later steps are forgotten."""
        bins, width = self._bins, self._width
        if bins and step <= bins[-1].last:
            self.forget_from(step)
        now = bins[-1] if bins else None
        if now is None or now.first // width != step // width:
            now = _Bin(step, now.mean, now.weight) if now else _Bin(step, 0.0, 0.0)
            bins.append(now)
        now.last = step
        if value is None:
            now.missing += 1
        else:
            if value < now.low:
                now.low = value
            if value > now.high:
                now.high = value
            now.total += value
            now.count += 1
            now.mean = SMOOTHING * now.mean + (1 - SMOOTHING) * value
            now.weight = SMOOTHING * now.weight + (1 - SMOOTHING)
        if len(bins) > _MOST_BINS:
            self._halve()

    def forget_from(self, step: int) -> None:
        """Forget the values at ``step`` and after it."""
        bins = self._bins
        while bins and bins[-1].first >= step:
            bins.pop()
        if bins and bins[-1].last >= step:
            self._shorten(bins[-1], step)

    def columns(
        self, most: int, first_step: int | None = None, last_step: int | None = None
    ) -> list[Column]:
        """At most ``most`` columns of as many steps each, from ``first_step`` to ``last_step`` (by
        default all that is known). Those without a finite value are left out."""
        first = self.first_step if first_step is None else first_step
        last = self.last_step if last_step is None else last_step
        groups: dict[int, list[_Bin]] = {}
        for item in self._bins:
            if item.count and first <= item.first <= last:
                place = (item.first - first) * most // (last - first + 1)
                groups.setdefault(place, []).append(item)
        return [_column(group) for group in groups.values()]

    def _shorten(self, item: _Bin, step: int) -> None:
        """Cut ``step`` and what follows off a bin: its mean stands for what is left of it."""
        kept = (step - item.first) / (item.last - item.first + 1)
        mean = item.total / item.count if item.count else 0.0
        before = self._bins[-2] if len(self._bins) > 1 else None
        item.last = step - 1
        item.missing = min(item.missing, step - item.first)
        item.count = max(1, round(item.count * kept)) if item.count else 0
        item.total = mean * item.count
        faded = SMOOTHING**item.count
        start_mean, start_weight = (before.mean, before.weight) if before else (0.0, 0.0)
        item.mean = faded * start_mean + (1 - faded) * mean
        item.weight = faded * start_weight + (1 - faded)

    def _halve(self) -> None:
        """Make the bins twice as wide until there are few enough."""
        while len(self._bins) > _MOST_BINS // 2:
            self._width *= 2
            merged: list[_Bin] = []
            for item in self._bins:
                if merged and merged[-1].first // self._width == item.first // self._width:
                    _absorb(merged[-1], item)
                else:
                    merged.append(item)
            self._bins[:] = merged


def _absorb(item: _Bin, later: _Bin) -> None:
    item.last = later.last
    item.low, item.high = min(item.low, later.low), max(item.high, later.high)
    item.total += later.total
    item.count += later.count
    item.missing += later.missing
    item.mean, item.weight = later.mean, later.weight


def _column(bins: list[_Bin]) -> Column:
    return Column(
        first_step=bins[0].first,
        last_step=bins[-1].last,
        low=min(item.low for item in bins),
        high=max(item.high for item in bins),
        mean=sum(item.total for item in bins) / sum(item.count for item in bins),
        smoothed=bins[-1].mean / bins[-1].weight,
    )
