"""Access tokens stay out of configurations, logs, events and files: they come from the
environment or the hub's own login alone."""

from __future__ import annotations

import re

_TOKEN = re.compile(
    r"(?<![A-Za-z0-9])(?:hf_|api_org_)[A-Za-z0-9]{16,}"
    r"|(?:(?<=://)|(?<=:/))[^\s/@:]*:[^\s/@]+(?=@)"
)
"""What the Hugging Face hub's access tokens look like, and ``user:password`` in an address, which
has one slash less where it was taken for a path."""


def holds_secret(text: str) -> bool:
    """Whether something in ``text`` looks like an access token or a password."""
    return _TOKEN.search(text) is not None


def redacted(text: str) -> str:
    """``text`` with everything that looks like such blotted out."""
    return _TOKEN.sub("***", text)
