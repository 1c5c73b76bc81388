"""Problems as text: the same wherever they are shown."""

from __future__ import annotations

import shutil
import textwrap
from collections import Counter
from collections.abc import Sequence

from ..core.errors import Problem, ProblemsError, WizardError
from ..core.text import printable

_INDENT = " " * 9


def problems_text(problems: Sequence[Problem]) -> str:
    """One block per problem, and a count at the end; safe to show, no wider than the terminal."""
    blocks = [_block(problem) for problem in problems]
    counts = Counter(problem.severity for problem in problems)
    summary = ", ".join(
        f"{counts[severity]} {severity}{'s' if counts[severity] > 1 else ''}"
        for severity in ("error", "warning", "note")
        if counts[severity]
    )
    return "\n".join([*blocks, summary]) + "\n" if blocks else ""


def problems_of(error: WizardError) -> list[Problem]:
    """What ``error`` says, as problems."""
    if isinstance(error, ProblemsError):
        return error.problems
    said = ": ".join(part for part in (error.title, error.message) if part)
    return [Problem(said, remedy=error.remedy)]


def wrapped(text: str, indent: str = "", first: str | None = None) -> str:
    """``text`` in lines of the terminal's width, at most 100 columns."""
    width = max(20, min(100, shutil.get_terminal_size().columns))
    return textwrap.fill(
        text,
        width,
        initial_indent=indent if first is None else first,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _block(problem: Problem) -> str:
    line = f"line {problem.line}: " if problem.line else ""
    where = f"{problem.where}: " if problem.where else ""
    message = printable(f"{line}{where}{problem.message}", limit=2000)
    lines = [wrapped(message, _INDENT, f"{problem.severity:<9}")]
    if problem.remedy:
        # What follows a remedy's first line is TOML to copy: broken, it would mean nothing.
        remedy, *toml = (printable(line, limit=2000) for line in problem.remedy.split("\n"))
        lines += [wrapped(remedy, _INDENT), *(_INDENT + line for line in toml)]
    return "\n".join(lines)
