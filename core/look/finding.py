"""What was found in a set of pictures: a kind, the pictures, a number each, and words."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

KINDS = {
    "broken": "Cannot be read",
    "duplicate": "The same twice",
    "near-duplicate": "Nearly the same",
    "blurred": "Blurred",
    "small": "Too small",
    "dark": "Very dark",
    "bright": "Very bright",
    "bars": "Bars or a border",
    "one-shape": "All of one shape",
    "mask": "Masks",
}
"""Kind -> title, in the order in which they are shown."""


@dataclass(frozen=True)
class Exhibit:
    """A picture of a finding."""

    path: Path
    number: float
    """What was measured; its unit is the kind's."""
    note: str
    """The number in words, for a label."""


@dataclass(frozen=True)
class Finding:
    """Something that was noticed; nothing is done about it unasked."""

    kind: str
    """Of `KINDS`."""
    pictures: tuple[Exhibit, ...]
    """Of copies, the one to keep is the first."""
    words: str
    remedy: str
    spare: tuple[Path, ...] = ()
    """Those that one would leave out."""

    @property
    def title(self) -> str:
        return KINDS[self.kind]
