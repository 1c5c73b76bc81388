"""A TOML on its way: every key a person presses is kept, so that a lost connection loses nothing.

A draft is one JSON file in the state folder: the TOML as text, what was typed into a field and is
no value yet, and what the wizard asks that no TOML holds. The TOML itself is only written where
the person says so.
"""

from __future__ import annotations

import codecs
import contextlib
import time
from pathlib import Path
from typing import Any

from ...core.config import RunConfig, configfile, values
from ...core.config.config_problems import options
from ...core.config.edit import TomlText
from ...core.errors import Problem, ProblemsError, WizardError
from ...core.files import sha256_of, write_bytes
from ...core.templates import find
from .answers import Answers
from .kept import FACTS, Kept, Snapshot, damaged, drafts_folder, new_path
from .list_items import option_key
from .own_values import absolute_paths, problem_of, with_own

__all__ = ["FACTS", "Draft", "Kept", "Snapshot", "drafts", "drafts_folder"]


_STAYS = "It stays while the wizard is open; free some space, or save the TOML elsewhere."


class Draft(Answers):
    """What the person has decided so far. Not thread-safe: `snapshot` is what goes to a thread."""

    def __init__(self, path: Path, kept: Kept) -> None:
        super().__init__(kept)
        self.path = path
        self._trouble, self._told = "", False

    @classmethod
    def new(cls, template: str, folder: Path | None = None) -> Draft:
        """A draft from a preset; relative paths count from ``folder``, by default the working
        folder. Raises UnknownTemplateError."""
        text = find(template).text
        where = str(folder or Path.cwd())
        kept = Kept(text=text, folder=where, origin=text, template=template)
        return cls(new_path(), kept)

    @classmethod
    def of_file(cls, toml: Path) -> Draft:
        """A draft of a TOML that is there. Raises WizardError when it cannot be read and
        ProblemsError when it is no TOML; unknown keys and bad values are shown in the walk."""
        text = configfile.toml_source.read(toml := toml.absolute())
        configfile.toml_source.parse(text)
        kept = Kept(text=text, folder=str(toml.parent), origin=text, source=str(toml))
        with contextlib.suppress(OSError), toml.open("rb") as file:
            kept.byte_order_mark = file.read(3) == codecs.BOM_UTF8
            kept.source_sha256 = sha256_of(toml)
        return cls(new_path(), kept)

    @classmethod
    def load(cls, path: Path) -> Draft:
        """A draft that was kept. Raises WizardError when its file is damaged."""
        kept = Kept.read(path)
        try:
            return cls(path, kept)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise damaged(path, error) from error

    @property
    def folder(self) -> Path:
        """From which relative paths count."""
        return Path(self._kept.folder)

    @property
    def source(self) -> Path | None:
        """The TOML that was opened or last saved."""
        return Path(self._kept.source) if self._kept.source else None

    @property
    def name(self) -> str:
        """What to call it in a list: the LoRA's name."""
        return str(self.value("output.name") or "lora")

    @property
    def step(self) -> str:
        """The step of the walk that was open last."""
        return self._kept.step

    @step.setter
    def step(self, name: str) -> None:
        if name != self._kept.step:
            self._kept.step = name
            self.keep()

    @property
    def changed(self) -> float:
        """When it was last touched, in seconds since 1970."""
        return self._kept.changed

    def enter(self, key: str, text: str) -> Problem | None:
        """Take what was typed into an option's field, and keep it whatever it is; returns what is
        wrong with it."""
        value = values.parse(options()[option_key(key)], text)
        problem = problem_of(key, value) or self._write(key, value)
        if problem:
            self._pend(key, text)
        self.keep()
        return problem

    def put(self, key: str, value: Any) -> None:
        """Set an option; None takes the key out, so that the default counts."""
        if self._write(key, value):
            self._pend(key, values.as_text(options()[key], value))
        self.keep()

    def take_out(self, key: str) -> None:
        """Take a key or section out that no option knows."""
        self._toml.unset(key)
        self._kept.own[key] = None
        self.keep()

    def apply(self, template: str) -> None:
        """Take another preset; what the person set stays. A TOML of the person's own only gets
        what it leaves open. Raises UnknownTemplateError."""
        changed = self.changes_by(template)
        if self.template:
            text = find(template).text
            self._kept.template, self._kept.origin = template, text
            self._preset, self._toml = TomlText(text), with_own(text, self._kept)
            self.keep()
        else:
            for info, _, value in changed:
                self.put(info.key, value)

    def revert(self, key: str) -> None:
        """Back to the preset's value."""
        self.put(key, self._preset.get(key))
        self._kept.own.pop(key, None)
        self.keep()

    def fact(self, name: str) -> str:
        """An answer that no TOML holds; see `FACTS`."""
        return self._kept.facts.get(name, "")

    def note(self, name: str, text: str) -> None:
        """Keep such an answer."""
        if text != self.fact(name):
            self._kept.facts[name] = text
            self.keep()

    def snapshot(self) -> Snapshot:
        """What a thread needs to know of the draft as it is now."""
        pending = tuple(filter(None, map(self.problem, self._kept.pending)))
        return Snapshot(self.text, self.folder, pending)

    def config(self) -> RunConfig:
        """The configuration. Raises ProblemsError with everything that is wrong."""
        found = self.snapshot().read()
        if found.config and not found.problems:
            return found.config
        raise ProblemsError("The draft is not finished", found.problems)

    def save_as(self, toml: Path) -> None:
        """Write the TOML for `train`. Relative paths go on counting from where they did. Raises
        WriteError."""
        if (toml := toml.absolute()).parent != self.folder:
            self._rebase(toml.parent)
        mark = codecs.BOM_UTF8 if self._kept.byte_order_mark else b""
        self._kept.source_sha256 = write_bytes(toml, mark + self.text.encode())
        self._kept.source, self._kept.folder = str(toml), str(toml.parent)
        self.keep()

    def may_write(self, toml: Path) -> bool:
        """Whether `save_as` there takes nothing away that somebody else has written."""
        return self._kept.may_write(toml.absolute())

    def keep(self) -> None:
        """Write the draft's file. A full disk never stops the walk: what is on the screen stays,
        and `take_trouble` tells."""
        self._kept.text, self._kept.changed = self.text, time.time()
        try:
            self._kept.write(self.path)
            self._trouble = ""
        except WizardError as error:
            self._trouble = f"What you enter is not kept now: {error.message}. {_STAYS}"

    def take_trouble(self) -> str:
        """Why the draft cannot be kept, told once until it can be again; not yet safe to show."""
        told, self._told = self._told, bool(self._trouble)
        return "" if told else self._trouble

    def discard(self) -> None:
        """Forget the draft; a TOML that was saved stays."""
        with contextlib.suppress(OSError):
            self.path.unlink()

    def _rebase(self, folder: Path) -> None:
        for key, path in absolute_paths(self._toml, self.snapshot()).items():
            self.put(key, path)


def drafts() -> list[Draft]:
    """All drafts of this machine, the last touched first; damaged ones are left out."""
    found: list[Draft] = []
    for path in drafts_folder().glob("*.json"):
        with contextlib.suppress(WizardError):
            found.append(Draft.load(path))
    return sorted(found, key=lambda draft: draft.changed, reverse=True)
