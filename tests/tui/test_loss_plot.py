"""The plot: what stands where, and that little is painted for a step more."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from lora_wizard.core.run.history import History
from lora_wizard.tui.walk.watching import Curves
from lora_wizard.tui.widgets.axes import Scale, last_step_shown, number_text
from lora_wizard.tui.widgets.dots import Dots
from lora_wizard.tui.widgets.loss_plot import LossPlot
from screens import screen_text
from textual.app import App, ComposeResult
from textual.geometry import Region


class Plot(LossPlot):
    """Keeps what it asked to have painted."""

    asked: list[Region] | None = None

    def refresh(self, *regions: Region, **options: bool) -> Plot:
        self.asked = [*(self.asked or []), *regions]
        return super().refresh(*regions, **options)  # pyright: ignore[reportReturnType]


class Plotted(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.history = History()
        self.plot = Plot(self.curves)

    def curves(self, columns: int, first: int, last: int) -> Curves:
        loss, validation = self.history.loss, self.history.validation
        return Curves(
            first,
            last,
            loss.columns(columns, first, last),
            validation.columns(columns, first, last),
            self.history.epochs,
            loss.not_finite,
        )

    def compose(self) -> ComposeResult:
        yield self.plot

    def add(self, step: int, loss: float | None) -> None:
        epoch = (step - 1) // 100 + 1
        self.history.add({"kind": "step", "step": step, "epoch": epoch, "loss": loss})


@pytest.mark.anyio
async def test_a_step_more_paints_a_few_characters() -> None:
    app = Plotted()
    async with app.run_test(size=(60, 16)) as pilot:
        for step in range(1, 513):
            app.add(step, 0.2 + 0.05 * math.sin(step))
        app.plot.show(512, 1000)
        await pilot.pause()
        app.plot.asked = []
        app.add(513, 0.2)
        app.plot.show(513, 1000)
        assert sum(region.area for region in app.plot.asked) < 30
        app.plot.asked = []
        app.plot.show(513, 1000)
        assert app.plot.asked == []


@pytest.mark.anyio
async def test_marks_of_epochs_and_of_what_is_no_number() -> None:
    app = Plotted()
    async with app.run_test(size=(80, 16)) as pilot:
        for step in range(1, 401):
            app.add(step, None if step == 250 else 1 / step)
        app.history.add({"kind": "validation", "step": 200, "loss": 0.5})
        app.plot.show(400, 400)
        await pilot.pause()
        lines = screen_text(app).splitlines()
        assert "validation" in lines[0] and "steps 1-400" in lines[0]
        axis, epochs = lines[-2], lines[-1]
        places = [at for at, char in enumerate(axis) if char == "┬"]
        assert [epochs[at] for at in places] == ["1", "2", "3", "4"]
        assert places[2] < axis.index("x") < places[3]
        assert "x: no number" in epochs
        app.plot.toggle_log()
        await pilot.pause()
        assert "y: log" in screen_text(app)


@given(step=st.integers(0, 10**7), total=st.none() | st.integers(1, 10**7))
def test_the_axis_of_steps_holds_them_and_wastes_little(step: int, total: int | None) -> None:
    end = last_step_shown(step, total)
    assert end >= step
    assert end <= max(20, 1.5 * step)
    assert total is None or end <= max(step, total)


@given(
    values=st.lists(st.none() | st.floats(-1e9, 1e9), min_size=1, max_size=60),
    is_log=st.booleans(),
)
def test_every_scale_has_room_for_the_smoothed_line(
    values: list[float | None], is_log: bool
) -> None:
    history = History()
    for step, value in enumerate(values, 1):
        history.add({"kind": "step", "step": step, "loss": value})
    columns = history.loss.columns(40)
    if not columns:
        return
    scale = Scale.around(columns, is_log=is_log)
    assert scale.low < scale.high
    for column in columns:
        assert 0 <= scale.place(column.low) <= scale.place(column.high) <= 1
    if not scale.is_log:
        slack = 1e-6 * max(abs(scale.low), abs(scale.high))
        smoothed = [column.smoothed for column in columns]
        assert scale.low - slack <= min(smoothed) and max(smoothed) <= scale.high + slack


@given(st.floats(-1e12, 1e12))
@example(-0.0078125)
def test_labels_fit(value: float) -> None:
    assert len(number_text(value)) <= 7


def test_a_line_has_no_holes() -> None:
    dots = Dots(4, 3, 2)
    dots.line(0, [(0, 0), (1, 11), (7, 0)])
    dots.column(1, 3, 0, 11, every=2)
    rows = ["".join(char for char, _ in dots.row(row)) for row in range(3)]
    assert all(row.strip() for row in rows)
    assert dots.row(0)[1][1] == 1, "the upper layer hides the lower"


@given(
    low=st.floats(0, 10),
    span=st.floats(1e-3, 100),
    most=st.integers(2, 12),
    is_log=st.booleans(),
)
def test_marks_are_round_within_and_neither_few_nor_many(
    low: float, span: float, most: int, is_log: bool
) -> None:
    scale = Scale(max(low, 1e-4), low + span, is_log=is_log)
    marks = scale.marks(most)
    assert 1 <= len(marks) <= most + 1
    assert marks == sorted(marks)
    for mark in marks:
        assert scale.low * 0.999 - 1e-9 <= mark <= scale.high * 1.001 + 1e-9
    if not is_log:
        # Two figures say each exactly.
        steps = [second - first for first, second in pairwise(marks)]
        assert all(float(f"{step:.1e}") == pytest.approx(step, rel=1e-3) for step in steps)
