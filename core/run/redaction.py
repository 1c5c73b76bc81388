"""Keeps what is secret in the environment out of everything that a run writes."""

from __future__ import annotations

import os
import re
from typing import Any

from ..secret import redacted

_NAMES = re.compile(r"TOKEN|SECRET|PASSWORD|PASSWD|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY", re.I)
_SHORTEST = 8
"""Shorter values would blot out ordinary words."""
_MASK = "***"


def without_secrets(value: Any) -> Any:
    """``value`` (text, or dicts and lists with text in them) with the values of environment
    variables such as HF_TOKEN masked, and whatever looks like a token: libraries put them into
    error messages."""
    return _masked(value, _secrets())


def _secrets() -> list[str]:
    found = {
        value
        for name, value in os.environ.items()
        if _NAMES.search(name) and len(value) >= _SHORTEST and not value.startswith("/")
    }
    return sorted(found, key=len, reverse=True)


def _masked(value: Any, secrets: list[str]) -> Any:
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, _MASK)
        return redacted(value)
    if isinstance(value, dict):
        return {key: _masked(item, secrets) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_masked(item, secrets) for item in value]
    return value
