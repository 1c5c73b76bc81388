"""What the wizard's process does without."""

from __future__ import annotations

import sys


def import_asyncio() -> None:
    """Import asyncio without OpenSSL, as it is on a Python that was built without: 4 MB for
    connections that the wizard never makes through it. Whoever needs OpenSSL imports it as ever,
    the hub's library above all."""
    if "asyncio" in sys.modules or "ssl" in sys.modules:
        return
    sys.modules["ssl"] = None  # pyright: ignore[reportArgumentType]
    try:
        import asyncio  # noqa: F401
    finally:
        del sys.modules["ssl"]
