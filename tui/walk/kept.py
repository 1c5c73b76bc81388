"""What is kept of a draft, and what a thread gets to see of it."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import time
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from ...core.config import configfile
from ...core.config.config_problems import options
from ...core.config.configfile import Lenient
from ...core.errors import Problem, WizardError
from ...core.files import sha256_of, write_json
from ...core.secret import holds_secret, redacted
from .list_items import option_key

FACTS = (
    *("subject", "class_word", "price_per_hour"),
    *("until", "max_time", "max_cost", "then"),
)
"""What the wizard asks beside the options: the kind of subject (``person``, ``style`` ...), the
word for its class (``woman``), the machine's price in whatever currency, and of a start when it is
to end by itself and what follows (`start_limits`)."""


@dataclass
class Kept:
    """The draft's file."""

    text: str
    """The TOML as far as it is."""
    folder: str
    """From which its relative paths count."""
    origin: str = ""
    """The TOML it was begun with: what differences are told against."""
    template: str = ""
    """The preset it was begun from; empty for a TOML of the person's own."""
    source: str = ""
    """The TOML that was opened or last saved; empty before."""
    step: str = ""
    """Where in the walk the person was."""
    pending: dict[str, str] = field(default_factory=dict)
    """By key, also of one table in a list (``dataset.concepts[1].repeats``): what was typed and
    cannot be used as it is."""
    facts: dict[str, str] = field(default_factory=dict)
    own: dict[str, Any] = field(default_factory=dict)
    """By key: what the person set, None for what they took out. It outlives a change of preset."""
    byte_order_mark: bool = False
    """Whether the opened file began with one; a saved one then does, too."""
    source_sha256: str = ""
    """Of ``source`` as it was read or written last; empty when that is not known."""
    changed: float = 0.0

    @classmethod
    def read(cls, path: Path) -> Kept:
        """What is in a draft's file. Raises WizardError when it is damaged."""
        try:
            stored = json.loads(path.read_bytes())
            known = {item.name for item in fields(cls)}
            kept = cls(**{key: stored[key] for key in stored if key in known})
        except (OSError, ValueError, TypeError, RecursionError) as error:
            raise damaged(path, error) from error
        if wrong := [name for name, value in vars(kept).items() if not _fits(name, value)]:
            raise damaged(path, ", ".join(wrong))
        # Another version's options may have had other names.
        known = [key for key in kept.pending if option_key(key) in options()]
        kept.pending = {key: kept.pending[key] for key in known}
        return kept

    def may_write(self, toml: Path) -> bool:
        """Whether writing ``toml`` takes nothing away that somebody else has written."""
        if not os.path.lexists(toml):
            return True
        known = self.source_sha256
        with contextlib.suppress(OSError):
            return str(toml) == self.source and (not known or sha256_of(toml) == known)
        return False

    def write(self, path: Path) -> None:
        """Keep it, without anything that looks like an access token. Raises WriteError."""
        pending = {key: text for key, text in self.pending.items() if not holds_secret(text)}
        stored = asdict(self) | {"pending": pending}
        # Not synced: it has to outlive the connection and the process, not a power cut.
        write_json(path, _without_tokens(stored), durable=False)


def damaged(path: Path, why: object) -> WizardError:
    """The error for a draft's file that cannot be used."""
    return WizardError("The draft cannot be read", f"{path}: {why}", "Begin a new one.")


def _fits(name: str, value: object) -> bool:
    blank = getattr(Kept("", ""), name)
    if isinstance(blank, float):
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if name in ("pending", "facts"):
        return isinstance(value, dict) and all(isinstance(text, str) for text in value.values())
    return isinstance(value, type(blank))


def _without_tokens(value: Any) -> Any:
    if isinstance(value, str):
        return redacted(value)
    if isinstance(value, dict):
        return {key: _without_tokens(item) for key, item in value.items()}
    return [_without_tokens(item) for item in value] if isinstance(value, list) else value


@dataclass(frozen=True)
class Snapshot:
    """A draft at one moment, for a thread."""

    text: str
    folder: Path
    pending: tuple[Problem, ...]

    def read(self) -> Lenient:
        """The configuration as far as there is one, and what is wrong with it."""
        return configfile.lenient(self.text, self.folder, also=self.pending)


def drafts_folder() -> Path:
    """Where drafts are kept: ``$XDG_STATE_HOME/lora-wizard/drafts``."""
    from ...core.run import registry

    return registry.folder().with_name("drafts")


def new_path() -> Path:
    """The file of a draft that is begun now."""
    stamp = time.strftime("%Y%m%d-%H%M%S")
    return drafts_folder() / f"{stamp}-{secrets.token_hex(3)}.json"
