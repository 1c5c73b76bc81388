"""The line of keys at the bottom."""

from __future__ import annotations

import re

from textual.screen import Screen
from textual.widgets import Footer as _Footer

_FUNCTION_KEY = re.compile(r"f\d+")


def key_name(key: str) -> str:
    """A key as it stands on the keyboard: F2, not f2."""
    return key.upper() if _FUNCTION_KEY.fullmatch(key) else key


class Footer(_Footer):
    """As Textual's, but made anew only when other keys are shown. Textual makes all of it twice at
    each move of the focus, which over SSH is felt at every key."""

    def bindings_changed(self, screen: Screen[object]) -> None:
        """Look whether there is anything new to show."""
        shown: dict[str, tuple[str, str, bool]] = {}
        for _, binding, enabled, _ in screen.active_bindings.values():
            if binding.show:
                # Of several keys for the same, the first is shown.
                key = self.app.get_key_display(binding)
                shown.setdefault(binding.action, (key, binding.description, enabled))
        if shown != getattr(self, "_shown_keys", None):
            self._shown_keys = shown
            super().bindings_changed(screen)
