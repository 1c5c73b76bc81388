"""The panes of a monitor: loss, pictures and log, side by side or one alone."""

from __future__ import annotations

import time

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Static

from ..walk import monitor_words as words
from ..walk.watching import Portion, Watch
from .log_view import LogView
from .loss_plot import LossPlot
from .sample_panel import SamplePanel
from .text import shown

_PLOT_INTERVAL = 1.0
_PANES = ("plot", "pictures", "log", "all")


class RunPanes(Vertical):
    """What one run has done so far. Above the plot stands why it failed."""

    DEFAULT_CSS = """
    RunPanes { height: 1fr; }
    RunPanes #upper { height: 7fr; }
    RunPanes #lower { height: 3fr; }
    RunPanes #left { width: 1fr; margin: 0 1 0 0; }
    RunPanes #failure { display: none; height: auto; color: $warning; padding: 0 1 1 1; }
    RunPanes.-failed #failure { display: block; }
    RunPanes #pictures { width: 1fr; }
    RunPanes #log-title { height: 1; text-style: bold; }
    RunPanes.-only-plot #pictures, RunPanes.-only-plot #lower { display: none; }
    RunPanes.-only-log #upper { display: none; }
    RunPanes.-only-pictures #lower, RunPanes.-only-pictures #left { display: none; }
    """

    def __init__(self, watch: Watch) -> None:
        super().__init__()
        self._watch = watch
        self._plotted = 0.0

    def compose(self) -> ComposeResult:
        with Horizontal(id="upper"):
            with Vertical(id="left"):
                yield Static("", id="failure", markup=False)
                yield LossPlot(self._watch.curves)
            yield SamplePanel(self._watch.run.path, id="pictures")
        with Vertical(id="lower"):
            yield Static("3 Log", id="log-title", markup=False)
            yield LogView(id="log")

    def show(self, portion: Portion) -> None:
        """Show what a portion brings; while it trains, the plot only once a second."""
        status, now = portion.status, time.monotonic()
        is_training = status.state == "live" and status.phase == "train"
        if now - self._plotted >= _PLOT_INTERVAL or not is_training:
            self._plotted = now
            self.query_one(LossPlot).show(self._watch.last_step, status.total)
        self.query_one(SamplePanel).show(self._watch.samples())
        self.query_one(LogView).add(portion.log)
        if failure := words.failure_words(status, self._watch.run):
            title, _, rest = failure.partition("\n")
            content = shown(title, "bold") + "\n" + shown(rest)
            self.query_one("#failure", Static).update(content)
        self.set_class(bool(failure), "-failed")

    def show_alone(self, pane: str) -> None:
        """One of plot, pictures and log alone; the same again, or all, shows all."""
        alone = "" if pane == "all" or self.has_class(f"-only-{pane}") else pane
        for name in _PANES:
            self.set_class(name == alone, f"-only-{name}")
        log = self.query_one(LogView)
        log.can_focus = alone == "log"
        log.set_class(alone == "log", "-alone")
        self.screen.set_focus(log if alone == "log" else self.query_one(SamplePanel))

    def toggle_log(self) -> None:
        """Loss on a logarithmic axis, and back."""
        self.query_one(LossPlot).toggle_log()
