"""What a captioner would do now, or what is in the way."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from ...captioners.base import CaptionerSpec, LightSpec
from ...captioners.job import writing
from ...captioners.job.pictures import Found
from ...core.dataset.caption_files import Mode
from ...core.errors import Problem, ProblemsError, WizardError
from .assessment import Assessment
from .captioning import (
    USUAL,
    Asked,
    Settings,
    asked,
    command_in,
    count,
    goes_on,
    models,
    pictures_of,
    told,
)
from .captions import CaptionList, Proposal, gather


@dataclass(frozen=True)
class Looked:
    """What can be done, by a job (``wanted``) or at once (``proposal``), with what there is to say
    of it; neither when something is in the way."""

    lines: Sequence[str] = ()
    """Not yet safe to show."""
    wanted: Asked | None = None
    proposal: Proposal | None = None
    problems: Sequence[Problem] = ()
    """Of the options, by their names."""
    command: str = ""
    """That brings what is missing."""
    can_go_on: bool = False
    """Whether the job was ended early, with the same wanted of it."""
    undoable: bool = False
    """Whether a captioning is remembered that can be taken back."""


class Look:
    """Looks at the settings as they are whenever it is asked; for one thread at a time. The
    pictures are counted once, until `forget`."""

    def __init__(self, captions: CaptionList) -> None:
        self._captions = captions
        self._counts: dict[Mode, Found] = {}

    def forget(self) -> None:
        """Captions were written since."""
        self._counts = {}

    def at(
        self,
        settings: Settings,
        spec: CaptionerSpec | None,
        known: Assessment | None,
        look: Callable[[int], None],
    ) -> Looked:
        """What ``spec`` would do, without one the trigger words; ``look`` is told how far it is
        where that takes long."""
        try:
            files = pictures_of(settings.draft, known).files
            undoable = bool(writing.latest(files))
        except WizardError as error:
            return Looked([f"✗ {error}"])
        try:
            if spec is None or isinstance(spec, LightSpec):
                found = Looked(proposal=self._proposal(settings, spec, look))
            else:
                found = self._by_job(asked(settings, spec, known))
        except ProblemsError as error:
            found = Looked([f"✗ {error.title}"], problems=error.problems)
        except WizardError as error:
            found = Looked([f"✗ {error}"])
        return replace(found, undoable=undoable)

    def _proposal(
        self, settings: Settings, spec: LightSpec | None, look: Callable[[int], None]
    ) -> Proposal:
        captions, mode = self._captions, settings.mode
        if spec is None:
            return Proposal("the trigger words", captions.with_trigger_words(), {}, "overwrite")
        pictures = [
            sample.path
            for sample in captions.samples
            if mode != "missing" or not captions.text(sample)
        ]
        found = spec.create(settings.options(spec)).caption(pictures)
        return gather(f"captions from {spec.title.lower()}", found, mode, look)

    def _by_job(self, wanted: Asked) -> Looked:
        mode = wanted.task.mode
        found = self._counts.get(mode)
        if found is None:
            found = self._counts[mode] = count(wanted.task)
        lines = told(found, wanted.spec.title)
        if wanted.lacks:
            lacks = [f"✗ {problem.words}" for problem in wanted.lacks]
            return Looked([*lacks, *lines[:1]], command=command_in(wanted.lacks))
        if not found.wanted:
            return Looked(lines)
        directory = wanted.directory
        early = directory.exists and not directory.is_live() and not _is_finished(wanted)
        return Looked(lines, wanted, can_go_on=early and goes_on(directory, wanted.task))


def first_ready(states: Mapping[str, bool]) -> str:
    """The captioner to begin with: the best for its size or another model that lacks nothing,
    else the names of files and folders, which need nothing."""
    if states.get(USUAL):
        return USUAL
    return next((spec.name for spec in models() if states.get(spec.name)), "names")


def _is_finished(wanted: Asked) -> bool:
    try:
        return wanted.directory.record().outcome == "finished"
    except WizardError:
        return True


def in_lines(proposal: Proposal) -> str:
    """How many captions a proposal has, in a sentence."""
    total = len(proposal.captions)
    nothing = f", {len(proposal.left)} get none" if proposal.left else ""
    if not total:
        return f"There is nothing to write{nothing}."
    return f"{total} captions would be written{nothing}."
