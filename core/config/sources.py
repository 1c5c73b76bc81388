"""The guides that the advice comes from, by the names under which people know them.

Definitions, templates and rules of thumb name them by signs, S0 to S4 (docs/sources.md).
"""

from __future__ import annotations

import re

GUIDES = {
    "S0": ("JarvisLabs", "the kohya_ss notes for a rented JarvisLabs GPU"),
    "S1": ("Haoming", "Haoming's LoRA tutorial"),
    "S2": ("rentry", "the LoRA guide on rentry.org"),
    "S3": ("kohya", "the documentation of sd-scripts"),
    "S4": ("ThinkDiffusion", "ThinkDiffusion's SDXL walkthrough"),
}
"""Sign -> (short name, what it is)."""

_SIGN = re.compile(r"\bS[0-4]\b")
_SIGNS = re.compile(r"\bS[0-4](?: S[0-4])+\b")


def in_names(text: str) -> str:
    """``text`` with the guides' short names in place of their signs: ``S0 S1`` becomes
    ``JarvisLabs, Haoming``."""
    parted = _SIGNS.sub(lambda found: found[0].replace(" ", ", "), text)
    return _SIGN.sub(lambda found: GUIDES[found[0]][0], parted)


def without_signs(text: str) -> str:
    """``text``, in which every sign is followed by what it is (``S0, the kohya_ss notes``), without
    the signs."""
    return re.sub(r"\bS[0-4], ", "", text)


def explained(text: str) -> list[tuple[str, str]]:
    """(short name, what it is) of each guide whose sign is in ``text``."""
    return [GUIDES[sign] for sign in sorted(set(_SIGN.findall(text)))]
