"""What is kept of a draft, and what a thread gets to see of it."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...core.config import configfile
from ...core.config.configfile import Lenient
from ...core.errors import Problem

FACTS = ("subject", "class_word", "price_per_hour")
"""What the wizard asks beside the options: the kind of subject (``person``, ``style`` ...), the
word for its class (``woman``), the machine's price in whatever currency."""


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
    """By key: what was typed and cannot be used as it is."""
    facts: dict[str, str] = field(default_factory=dict)
    own: dict[str, Any] = field(default_factory=dict)
    """By key: what the person set, None for what they took out. It outlives a change of preset."""
    byte_order_mark: bool = False
    """Whether the opened file began with one; a saved one then does, too."""
    changed: float = 0.0


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
