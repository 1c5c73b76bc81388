"""The signals that ask a job to end, and the one that it does not mind."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType


@contextlib.contextmanager
def stop_signals(handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Inside, SIGTERM and SIGINT go to ``handler`` and SIGHUP to nobody: a closed terminal ends no
    run. Only the main thread can have handlers; in others nothing changes."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handlers = {signal.SIGTERM: handler, signal.SIGINT: handler, signal.SIGHUP: signal.SIG_IGN}
    before = {number: signal.signal(number, what) for number, what in handlers.items()}
    try:
        yield
    finally:
        for number, what in before.items():
            signal.signal(number, what)
