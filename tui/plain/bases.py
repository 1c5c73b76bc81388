"""The base models that are near, what the chosen one is, and what this machine computes in."""

from __future__ import annotations

from collections.abc import Callable

from ...core.hardware import hardware, precision_advice
from ..walk.assessment import Assessment
from ..walk.base_places import nearby
from ..walk.bases import look
from ..walk.draft import Draft
from .talk import Talk

_KEY, _FAMILY = "model.base", "model.family"


class BaseQuestions:
    """Beside the options of the step `model`."""

    def __init__(self, talk: Talk, draft: Draft, assess: Callable[[], Assessment]) -> None:
        self._talk = talk
        self._draft = draft
        self._assess = assess

    def choose(self) -> None:
        """Offer what is on this machine; a path or hub id can be typed afterwards."""
        talk, draft = self._talk, self._draft
        found = nearby(draft.folder)
        talk.show()
        talk.say(precision_advice(hardware().gpus)[1])
        choices = [(item.name, item.note) for item in found]
        at = talk.choose("Models to train on:", [("go on", "it is asked next"), *choices])
        if at:
            draft.enter(_KEY, found[at - 1].text)

    def tell(self) -> None:
        """Say what the chosen one is, when nothing is wrong with it, and take its family over."""
        view = look(self._draft.shown(_KEY), self._draft.folder)
        if view.family and view.family != self._draft.value(_FAMILY):
            self._draft.put(_FAMILY, view.family)
        if any(problem.where in (_KEY, _FAMILY) for problem in self._assess().errors):
            return
        if view.family:
            self._talk.show()
            self._talk.say(f"It is {view.title}: {view.why}.")
            if view.facts:
                self._talk.say("; ".join(view.facts))
