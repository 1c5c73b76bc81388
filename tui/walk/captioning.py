"""Captioning in the walk: which captioner, told what, for which of the draft's pictures."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from ...captioners import registry
from ...captioners.base import CaptionerSpec, ModelSpec
from ...captioners.job import task as jobs
from ...captioners.job.pictures import Found, find_pictures
from ...captioners.job.task import CaptionTask, Pictures, directory_of
from ...core.config.options import OptionInfo, Section, walk
from ...core.config.paths import EMBEDDED
from ...core.config.typed_section import typed
from ...core.config.values import as_text
from ...core.dataset.caption_files import Mode, Outcome
from ...core.dataset.layout_words import counted
from ...core.errors import Problem, WizardError
from ...core.run.tasks import TaskDirectory
from ..commands.caption import again_words
from .assessment import Assessment
from .draft import Draft

ABOUT = (
    "Writes a text file beside each picture: what it shows. What captions name stays changeable; "
    "what they leave out, the trigger word learns. Look at them afterwards, and prune what "
    "describes your subject itself (F8 at Captions)."
)
TRIGGER_WORDS = "trigger words"
"""What is no captioner, and chosen beside them."""
TRIGGER_WORDS_TITLE = "Trigger words in front"
TRIGGER_WORDS_ABOUT = (
    "Puts your trigger words before every caption file that does not begin with them. Training "
    "does so by itself; this is for files that other programs read."
)
MODES: list[tuple[Mode, str]] = [
    ("missing", "only pictures without a caption"),
    ("overwrite", "all: what is there is replaced"),
    ("append", "all: added behind what is there"),
]
CHOOSE = "Up and down choose; enter goes on to the settings; F2 starts at once."
MODE_HELP = (
    "Which pictures get a caption. Whatever is replaced or added to can be brought back; what you "
    "change by hand meanwhile is kept."
)
PREFIX = "prefix"
"""The option that the trigger words are proposed for."""
USUAL = "florence2"
"""The best captioner for its size."""
_FACT = "captioning"
_COMMAND = re.compile(r": ([a-z][\w.-]* .+?)(?:\. [A-Z].*)?$", re.DOTALL)
_beginning: set[Path] = set()


@dataclass(frozen=True)
class Asked:
    """What a captioner would be asked to do."""

    spec: CaptionerSpec
    options: Section
    task: CaptionTask
    lacks: Sequence[Problem]
    """What is not installed or not downloaded."""
    command: Sequence[str]
    """That begins the same in a shell."""

    @property
    def directory(self) -> TaskDirectory:
        return directory_of(self.task.root)


def captioners() -> dict[str, CaptionerSpec | WizardError]:
    """By name, or what is wrong with one of another distribution."""
    found: dict[str, CaptionerSpec | WizardError] = {}
    for name in registry.names():
        try:
            found[name] = registry.find(name)
        except WizardError as error:
            found[name] = error
    return found


def models() -> list[ModelSpec]:
    """Those that are models."""
    return [spec for spec in captioners().values() if isinstance(spec, ModelSpec)]


def undone_words(title: str, outcome: Outcome) -> str:
    """That captions are as they were before ``title``; not yet safe to show."""
    if not title:
        return "There is nothing to take back."
    said = f"Taken back: {title}. {counted(len(outcome.written), 'caption')} as before."
    if outcome.left:
        path, why = next(iter(outcome.left.items()))
        more = f" and {len(outcome.left) - 1} more" if len(outcome.left) > 1 else ""
        said += f" Left: {path.name}{more}: {why}."
    return said


class Settings:
    """What was chosen and typed, as the draft keeps it."""

    def __init__(self, draft: Draft, known: Assessment | None) -> None:
        self.draft = draft
        self._words = _proposed_prefix(known)

    @property
    def source(self) -> str:
        """The captioner that was chosen last; before the first the best for its size."""
        return str(self._kept().get("captioner", USUAL))

    @source.setter
    def source(self, name: str) -> None:
        self._keep("captioner", name)

    @property
    def is_chosen(self) -> bool:
        """Whether somebody chose a captioner."""
        return "captioner" in self._kept()

    @property
    def mode(self) -> Mode:
        mode = self._kept().get("mode")
        return cast(Mode, mode) if mode in dict(MODES) else "missing"

    @mode.setter
    def mode(self, mode: str) -> None:
        self._keep("mode", mode)

    @property
    def no_prefix(self) -> str:
        """What an empty prefix says."""
        return "each concept's trigger words" if self._words is None else "nothing in front"

    def texts(self, spec: CaptionerSpec) -> dict[str, str]:
        """What stands in the field of each option: what was typed, or else the default."""
        found = _defaults(spec)
        if PREFIX in found and self._words:
            found[PREFIX] = self._words
        return found | self._typed(spec)

    def keep(self, spec: CaptionerSpec, key: str, text: str) -> None:
        """Keep what was typed into the field of an option."""
        of_all = self._kept().get("options")
        of_all = dict(of_all) if isinstance(of_all, dict) else {}
        of_all[spec.name] = {**self._typed(spec), key: text}
        self._keep("options", of_all)

    def prefix(self, spec: CaptionerSpec) -> str | None:
        """As it was typed; None for the trigger words of each concept."""
        text = self._typed(spec).get(PREFIX)
        return None if text is None or text == (self._words or "") else text

    def options(self, spec: CaptionerSpec) -> Section:
        """Its options. Raises ProblemsError with everything that is wrong."""
        defaults = _defaults(spec)
        given = {
            key: text
            for key, text in self._typed(spec).items()
            if key != PREFIX and text != defaults[key]
        }
        return typed(spec.options, given, spec.title, self.draft.folder)

    def _typed(self, spec: CaptionerSpec) -> dict[str, str]:
        of_all = self._kept().get("options")
        mine = of_all.get(spec.name) if isinstance(of_all, dict) else None
        found = mine.items() if isinstance(mine, dict) else ()
        known = {info.key for info in spec.option_infos()}
        return {key: str(text) for key, text in found if key in known}

    def _kept(self) -> dict[str, Any]:
        try:
            kept = json.loads(self.draft.fact(_FACT) or "{}")
        except ValueError:
            return {}
        return kept if isinstance(kept, dict) else {}

    def _keep(self, key: str, value: Any) -> None:
        self.draft.note(_FACT, json.dumps({**self._kept(), key: value}, ensure_ascii=False))


def infos(spec: CaptionerSpec) -> list[OptionInfo]:
    """The options of a captioner, those that matter first."""
    return sorted(spec.option_infos(), key=lambda info: info.level != "basic")


def pictures_of(draft: Draft, known: Assessment | None) -> Pictures:
    """The draft's pictures. Raises WizardError where there are none to write captions for."""
    if str(draft.value("dataset.folder") or "").startswith(EMBEDDED):
        raise WizardError(
            "The demo's pictures come along with their captions",
            "",
            "Copy them into a folder of yours to caption them anew.",
        )
    if known is None or known.config is None or known.plan is None:
        raise WizardError("There are no pictures yet", "", "Name their folder at Dataset first.")
    return Pictures.of_config(known.config)


def directory(draft: Draft, known: Assessment | None) -> TaskDirectory | None:
    """Where the job is, or would be, that captions the draft's pictures."""
    try:
        return directory_of(pictures_of(draft, known).root)
    except (WizardError, IndexError):
        return None


def is_live(task: TaskDirectory | None) -> bool:
    """Whether it goes on, or this wizard is starting it."""
    return task is not None and (is_beginning(task) or (task.exists and task.is_live()))


def asked(settings: Settings, spec: CaptionerSpec, known: Assessment | None) -> Asked:
    """What would be done with ``settings``. Raises WizardError, ProblemsError."""
    draft = settings.draft
    pictures = pictures_of(draft, known)
    options = settings.options(spec)
    plain = options.model_dump(mode="json", exclude_unset=True)
    task = pictures.task(spec.name, plain, settings.mode, settings.prefix(spec))
    lacks = list(spec.missing(options))
    return Asked(spec, options, task, lacks, _command(draft, task, options))


def is_ready(settings: Settings, spec: CaptionerSpec) -> bool:
    """Whether everything is here that ``spec`` needs as it is told now."""
    try:
        return not spec.missing(settings.options(spec))
    except WizardError:
        return False


def command_in(problems: Iterable[Problem]) -> str:
    """The commands that bring what is missing, as one line for a shell; "" without any."""
    found = (_COMMAND.search(problem.remedy) for problem in problems)
    return " && ".join(dict.fromkeys(hit[1].strip() for hit in found if hit))


def count(task: CaptionTask) -> Found:
    """The pictures of a task. Raises WizardError."""
    return find_pictures(task)


def told(found: Found, title: str) -> list[str]:
    """What a captioner would do, a line each; not yet safe to show."""
    lines = [f"{title} would look at {counted(len(found.wanted), 'picture')}."]
    if found.kept and not found.wanted:
        lines = ["Every picture has a caption. For: all, if they are to be made anew."]
    elif found.kept:
        keep = "keeps its" if found.kept == 1 else "keep their"
        lines[0] += f" {counted(found.kept, 'picture')} {keep} caption."
    lines += [f"! {path.name}: {why}" for path, why in list(found.left.items())[:3]]
    if len(found.left) > 3:
        lines.append(f"! and {len(found.left) - 3} more that cannot have one")
    return lines


def begin(wanted: Asked) -> None:
    """Start the job. Raises WizardError."""
    path = wanted.directory.path
    _beginning.add(path)
    try:
        jobs.begin(wanted.task, wanted.command)
    finally:
        _beginning.discard(path)


def is_beginning(task: TaskDirectory) -> bool:
    """Whether this wizard is starting it, perhaps from a screen that was left since."""
    return task.path in _beginning


def goes_on(task: TaskDirectory, wanted: CaptionTask) -> bool:
    """Whether ``wanted`` is what the job that was ended early was about."""
    try:
        return CaptionTask(**task.values()).key() == wanted.key()
    except (WizardError, TypeError):
        return False


def _defaults(spec: CaptionerSpec) -> dict[str, str]:
    return {info.key: as_text(info, info.default) for info in infos(spec)}


def _proposed_prefix(known: Assessment | None) -> str | None:
    """The trigger words that every caption begins with; None where that depends on the concept."""
    if known is None or known.config is None:
        return ""
    words = known.config.captions.trigger_words
    of_concepts = [item.trigger_words for item in known.config.dataset.concepts]
    if any(own is not None and own != words for own in of_concepts):
        return None
    return "".join(f"{word.strip()}, " for word in words if word.strip())


def _command(draft: Draft, task: CaptionTask, options: Section) -> list[str]:
    source = draft.source
    prefix = task.prefix
    place = task.root
    if source is not None and source.is_file():
        place = source
    elif prefix is None:
        # A folder by itself has no trigger words.
        prefix = "".join(f"{word.strip()}, " for word in task.trigger_words if word.strip())
    given = {
        info.key: as_text(info, getattr(options, info.key))
        for info in walk(type(options))
        if info.key in task.options
    }
    if prefix is not None:
        given[PREFIX] = prefix
    return again_words(place, task.captioner, task.mode, given)
