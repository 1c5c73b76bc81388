"""The threads in which the wizard looks at files."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import ParamSpec, TypeVar

_GRACE = 1.0
"""Seconds that what still runs has when the wizard is left."""
_P = ParamSpec("_P")
_T = TypeVar("_T")


class LooseThreads(ThreadPoolExecutor):
    """An executor with a thread for each call, none of which holds up the end of the process.

    A network folder that does not answer blocks a thread for ever. Python's own executor would
    wait for it at exit, and after a few of them no other call would get a thread.
    """

    def __init__(self) -> None:
        super().__init__(max_workers=1)
        self._running: set[threading.Thread] = set()

    def submit(self, fn: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> Future[_T]:
        """Call ``fn`` in a thread of its own."""
        future: Future[_T] = Future()

        def run() -> None:
            try:
                if future.set_running_or_notify_cancel():
                    _settle(future, lambda: fn(*args, **kwargs))
            finally:
                self._running.discard(threading.current_thread())

        thread = threading.Thread(target=run, daemon=True, name="look")
        self._running.add(thread)
        thread.start()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Give what still runs a moment to end, then leave it behind."""
        deadline = time.monotonic() + _GRACE
        for thread in tuple(self._running) if wait else ():
            thread.join(max(0.0, deadline - time.monotonic()))


def _settle(future: Future[_T], call: Callable[[], _T]) -> None:
    try:
        result = call()
    except BaseException as error:  # Whoever waits for the future has to know, whatever it is.
        future.set_exception(error)
    else:
        future.set_result(result)
