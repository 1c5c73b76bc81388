"""The draft that is open here."""

from __future__ import annotations

from .draft import Draft
from .hold import Hold
from .progress import is_untouched


class OpenDraft:
    """``draft``, which no other wizard can open until it is let go of."""

    def __init__(self, draft: Draft, hold: Hold) -> None:
        self.draft = draft
        self._hold: Hold | None = hold
        draft.keep()

    def let_go(self) -> None:
        """Let others have it; one in which nothing was decided does not stay in the list. Harmless
        when done before."""
        if self._hold is None:
            return
        if is_untouched(self.draft):
            self.draft.discard()
        self._hold.release()
        self._hold = None
