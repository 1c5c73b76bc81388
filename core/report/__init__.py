"""``report.html`` in the run's directory: all of a run on one page that can be kept and sent on."""

from .report import write_report

__all__ = ["write_report"]
