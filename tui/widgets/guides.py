"""What the guides would count, beside the exact number."""

from __future__ import annotations

from collections.abc import Sequence

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.events import Resize
from textual.widgets import OptionList, Static

from ...core.rules_of_thumb import RuleOfThumb
from ..walk.arithmetic import rule_reason, rule_row
from .lines import say
from .text import clipped, shown


class Guides(Vertical):
    """A row for each guide; the reason of the selected one stands in full below."""

    DEFAULT_CSS = """
    Guides { height: auto; }
    Guides OptionList { height: 5; border: none; padding: 0; }
    Guides .guides-heading { color: $text-muted; }
    Guides .guides-reason { height: auto; min-height: 2; padding: 0 0 0 2; }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._rules: list[RuleOfThumb] = []

    def compose(self) -> ComposeResult:
        yield Static(_row("Guide", "says", "here", "by"), classes="guides-heading", markup=False)
        yield OptionList(markup=False, compact=True)
        yield Static("", classes="guides-reason", markup=False)

    def show(self, rules: Sequence[RuleOfThumb]) -> None:
        """Show these rules; the selected guide stays selected."""
        self.display = bool(rules)
        self._rules = list(rules)
        table, width = self.query_one(OptionList), max(40, self.size.width - 1)
        rows = [clipped(_listed(rule), width) for rule in rules]
        if len(rows) == table.option_count:
            for place, row in enumerate(rows):
                if table.options[place].prompt != row:
                    table.replace_option_prompt_at_index(place, row)
        else:
            selected = table.highlighted or 0
            with self.prevent(OptionList.OptionHighlighted):
                table.clear_options()
                table.add_options(rows)
                table.highlighted = min(selected, len(rules) - 1) if rules else None
        self._explain()

    @on(Resize)
    def _resized(self) -> None:
        self.show(self._rules)

    @on(OptionList.OptionHighlighted)
    def _moved(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()
        self._explain()
        self._into_view()

    def on_descendant_focus(self) -> None:
        self._into_view()

    def _into_view(self) -> None:
        # The reason belongs to the row, so it comes along where there is little room.
        self.call_after_refresh(self.scroll_visible, animate=False)

    @on(OptionList.OptionSelected)
    def _entered(self, event: OptionList.OptionSelected) -> None:
        event.stop()

    def _explain(self) -> None:
        selected = self.query_one(OptionList).highlighted
        reason = rule_reason(self._rules[selected]) if selected is not None and self._rules else ""
        say(self.query_one(".guides-reason", Static), shown(reason))


def _listed(rule: RuleOfThumb) -> str:
    source, formula, gives, exact = rule_row(rule)
    return _row(source, gives, exact, formula)


def _row(source: str, gives: str, exact: str, formula: str) -> str:
    return f"{source:<15}{gives:<27}{exact:>7}  {formula}"
