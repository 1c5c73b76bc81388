"""The answers of a draft: its TOML, what was typed and is no value yet, and how both stand to the
preset."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ...core.config import values
from ...core.config.config_problems import options
from ...core.config.edit import TomlText
from ...core.config.options import OptionInfo
from ...core.errors import Mend, Problem
from ...core.secret import holds_secret
from ...core.templates import find
from .kept import Kept
from .list_items import ListItem, item_of, option_key
from .own_values import BY_HAND, PERSONAL, problem_of, with_own, write


class Answers:
    """What ``kept`` says, as options. Changes are made by `Draft`, which keeps them."""

    def __init__(self, kept: Kept) -> None:
        self._kept = kept
        self._preset = TomlText(kept.origin)
        self._toml = with_own(kept.origin, kept)
        if self.text != kept.text:
            # Written by something else than these edits: it counts as it is.
            self._toml = TomlText(kept.text)

    @property
    def text(self) -> str:
        """The TOML."""
        return str(self._toml)

    @property
    def template(self) -> str:
        """The preset's name; empty when there is none."""
        return self._kept.template

    def value(self, key: str) -> Any:
        """The value of an option: what the TOML says, or its default."""
        item = item_of(key)
        value = item.value(self._toml.get(item.of)) if item else self._toml.get(key)
        return options()[option_key(key)].default if value is None else value

    def is_set(self, key: str) -> bool:
        """Whether the TOML has the key."""
        return self._toml.get(key) is not None

    def shown(self, key: str) -> str:
        """What stands in the option's field: also what was typed and cannot be used yet."""
        if key in self._kept.pending:
            return self._kept.pending[key]
        return values.as_text(options()[option_key(key)], self.value(key))

    def problem(self, key: str) -> Problem | None:
        """What is wrong with what stands in an option's field, by itself."""
        if key in self._kept.pending:
            value = values.parse(options()[option_key(key)], self._kept.pending[key])
            found = problem_of(key, value)
            found = found or Problem("cannot be put into the file", key, remedy=BY_HAND)
            return replace(found, mends=self._ways_back(key))
        value = self._toml.get(key)
        return None if value is None else values.problem(key, value)

    def preset_value(self, key: str) -> Any:
        """What the preset, or the file as it was opened, says; the default where it is silent."""
        value = self._preset.get(key)
        return options()[key].default if value is None else value

    def differs(self, key: str) -> bool:
        """Whether the value is not the preset's."""
        return key in self._kept.pending or self.value(key) != self.preset_value(key)

    def differences(self) -> list[tuple[OptionInfo, Any, Any]]:
        """(option, preset's value, value now) of all that differ, in the options' order."""
        return [
            (info, self.preset_value(key), self.value(key))
            for key, info in options().items()
            if "[]" not in key and self.differs(key)
        ]

    def changes_by(self, template: str) -> list[tuple[OptionInfo, Any, Any]]:
        """(option, value now, value then) of what `apply` would change."""
        text = find(template).text
        then = with_own(text, self._kept) if self.template else TomlText(text)
        found: list[tuple[OptionInfo, Any, Any]] = []
        for key, info in options().items():
            if "[]" in key or key in self._kept.pending:
                continue
            value = then.get(key)
            if not self.template and (value is None or key in PERSONAL or self.is_set(key)):
                continue
            value = info.default if value is None else value
            if value != self.value(key):
                found.append((info, self.value(key), value))
        return found

    def is_own(self, key: str) -> bool:
        """Whether the person set it, so that no preset changes it."""
        return key in self._kept.own or (not self.template and self._preset.was(key) is not None)

    def _ways_back(self, key: str) -> tuple[Mend, ...]:
        """What there is no question for can at least be left as it was."""
        item = item_of(key)
        if item is None or not item.is_in(tables := self.value(item.of)):
            return ()
        return (Mend(f"Leave it at {self.value(key)}", {item.of: tables}),)

    def _write(self, key: str, value: Any) -> Problem | None:
        if item := item_of(key):
            return self._write_item(key, item, value)
        problem = write(self._toml, key, value, comments=not self.template)
        if problem is None:
            pending = self._kept.pending
            # Of a list that is another one, the places are others, too.
            of_old = [name for name in pending if name == key or name.startswith(f"{key}[")]
            for name in of_old:
                del pending[name]
            self._kept.own[key] = value
        return problem

    def _write_item(self, key: str, item: ListItem, value: Any) -> Problem | None:
        tables = self.value(item.of)
        if not item.is_in(tables):
            return Problem("is not in the list any more", key)
        others = {name: text for name, text in self._kept.pending.items() if name != key}
        problem = self._write(item.of, item.put(tables, value))
        if problem is None:
            self._kept.pending = others
        return problem

    def _pend(self, key: str, text: str) -> None:
        self._kept.pending[key] = text
        if holds_secret(text) and item_of(key) is None:
            # What was typed of it so far goes, too.
            self._toml.set(key, self._toml.was(key))
            self._kept.own.pop(key, None)
