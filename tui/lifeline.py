"""When the terminal goes away, the wizard goes too, at once: nothing is lost, since every key was
kept. What it must not do is to stay behind and spin on a terminal that only answers "end of file".
"""

from __future__ import annotations

import os
import select
import signal
import threading
from collections.abc import Callable
from types import FrameType

_SECONDS_TO_LEAVE = 2.0


def leave_when_told(leave: Callable[[], None]) -> None:
    """Call ``leave`` on SIGHUP and SIGTERM, so that a terminal that is still there is left clean;
    end the process when that takes too long. For the main thread.

    ``leave`` is called between two instructions of whatever runs: it should only ask somebody.
    """

    def told(number: int, frame: FrameType | None) -> None:
        deadline = threading.Timer(_SECONDS_TO_LEAVE, os._exit, (128 + number,))
        deadline.daemon = True
        deadline.start()
        leave()

    for number in (signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, told)


def end_with_terminal(descriptor: int) -> None:
    """End the process as soon as the terminal behind ``descriptor`` hangs up, also where no signal
    says so (``nohup``, a terminal that controls somebody else). Waits without any work."""

    def watch() -> None:
        hangup = select.poll()
        # No event asked for: hangups and errors are reported all the same.
        hangup.register(descriptor, 0)
        hangup.poll()
        os._exit(128 + signal.SIGHUP)

    threading.Thread(target=watch, name="lifeline", daemon=True).start()
