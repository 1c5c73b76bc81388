"""What the dataset step works out: rows of what was found, proposals for words, changes by key."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ...core.config import RunConfig
from ...core.config.paths import resolve_path
from ...core.dataset.layout import Layout
from ...core.dataset.layout_words import counted
from ...core.dataset.plan import ConceptSummary, DatasetPlan, Sample
from ...core.errors import Mend, Problem, WizardError
from ...core.resize.table import SUFFIX
from ...core.schedule import Schedule
from .assessment import Assessment
from .draft import Draft

DEMO_PICTURES = "embedded:demo/pictures"
_FOLDERS = ("dataset.folder", "dataset.regularization_folder")

_CLASS_WORDS = (
    *("woman", "man", "girl", "boy", "child", "baby", "lady", "guy", "person", "people"),
    *("character", "style", "dog", "cat", "horse", "bird", "car", "face"),
)
_SAY_NOTHING = ("pictures", "images", "photos", "dataset", "train", "img", "data", "lora")


@dataclass(frozen=True)
class Subject:
    """A kind of thing to learn, and what it proposes."""

    name: str
    class_word: str
    """Proposed; empty where no word fits all."""
    examples: str
    presets: tuple[str, ...]
    """That are made for it, the newcomer's first."""


SUBJECTS = (
    Subject("person", "person", "woman, man, person", ("face", "person")),
    Subject("character", "character", "girl, boy, robot", ("character",)),
    Subject("style", "style", "style, watercolor, photo", ("style",)),
    Subject("object", "", "dog, cup, car", ()),
)


def subject_of(draft: Draft) -> Subject:
    """What the person said, or else what the preset is for."""
    said = draft.fact("subject")
    for subject in SUBJECTS:
        if said == subject.name or (not said and draft.template in subject.presets):
            return subject
    return SUBJECTS[0]


def choose_subject(draft: Draft, name: str) -> None:
    """Note the kind of subject; a class word that nobody typed follows it."""
    was, said = subject_of(draft), draft.fact("class_word")
    draft.note("subject", name)
    if said in ("", was.class_word):
        draft.note("class_word", subject_of(draft).class_word)


def propose_subject(draft: Draft, plan: DatasetPlan) -> None:
    """Note what preset and folder names say of the subject, before anybody has said it."""
    if not draft.fact("subject"):
        subject = subject_of(draft)
        draft.note("subject", subject.name)
        if not draft.fact("class_word"):
            named = class_word_in(name_of_set(draft, plan))
            draft.note("class_word", named or subject.class_word)


def class_word_in(name: str) -> str:
    """The class that a folder's name ends with, as in ``mika woman``."""
    words = name.lower().split()
    return words[-1] if len(words) > 1 and words[-1] in _CLASS_WORDS else ""


def fitting_preset(draft: Draft) -> str:
    """The preset that is made for the chosen subject, if the draft began from one for another."""
    subject = subject_of(draft)
    if not draft.template or not subject.presets or draft.template in subject.presets:
        return ""
    return subject.presets[0]


def clear_placeholders(draft: Draft) -> None:
    """Take out the folders that stand in a preset as an example and are not there."""
    for key in _FOLDERS:
        value = draft.value(key)
        if value and draft.template and not draft.is_own(key) and not _is_there(draft, value):
            draft.put(key, "")


def propose_trigger(name: str) -> str:
    """A word that means nothing to a base model yet: the consonants of ``name`` and two letters
    that words seldom end with."""
    plain = unicodedata.normalize("NFKD", name).lower().strip().removesuffix(SUFFIX)
    plain = "" if plain in _SAY_NOTHING else plain.removesuffix(class_word_in(plain))
    consonants = [char for char in plain if char in "bcdfghjklmnpqrstvwxz"]
    return "".join(consonants[:4]) + "wx" if consonants else "ohwx"


def name_of_set(draft: Draft, plan: DatasetPlan | None) -> str:
    """What the pictures seem to be called: the LoRA's name, or their first folder's."""
    if draft.is_own("output.name"):
        return draft.name
    return plan.concepts[0].name if plan and plan.concepts else ""


@dataclass(frozen=True)
class ConceptRow:
    """A folder of pictures as it was found."""

    summary: ConceptSummary
    sizes: str
    """The smallest and the largest by area, such as ``512x512-1024x768``."""


def concept_rows(plan: DatasetPlan | None) -> list[ConceptRow]:
    """A row for each folder, in the order of training."""
    if plan is None:
        return []
    rows: list[ConceptRow] = []
    at = 0
    for item in plan.concepts:
        # The samples lie in the order of their folders; comparing 10,000 paths would be felt.
        rows.append(ConceptRow(item, _sizes(plan.samples[at : at + item.images])))
        at += item.images
    return rows


def found_text(plan: DatasetPlan) -> str:
    """What was found, in a line."""
    training = [item for item in plan.concepts if not item.is_regularization]
    pictures = sum(item.images for item in training)
    captions = sum(item.captions for item in training)
    where = counted(len(training), "folder")
    text = f"{counted(pictures, 'picture')} in {where}, {captions} with captions"
    classes = sum(item.images for item in plan.concepts if item.is_regularization)
    return f"{text}; {counted(classes, 'class picture')}" if classes else text


def named_pictures(config: RunConfig) -> int:
    """How many files are named like pictures, whether or not they can be read."""
    concepts = Layout(config.dataset, ()).concepts
    return sum(len(item.pictures) for item in concepts if not item.is_regularization)


def regularization_text(assessment: Assessment) -> str:
    """What class pictures change in steps; empty without them."""
    plan, schedule, config = assessment.plan, assessment.schedule, assessment.config
    if plan is None or schedule is None or config is None or not plan.regularization_samples:
        return ""
    alone = Schedule.of(replace(plan, samples=plan.training_samples), config)
    return f"{schedule.total_steps} steps with class pictures, {alone.total_steps} without"


def settled(problems: Iterable[Problem], most_files: int = 3) -> list[Problem]:
    """``problems`` for a list: of many broken files a few, and the one that offers a way out."""
    found: list[Problem] = []
    files = 0
    for problem in problems:
        files += is_file(problem)
        if is_file(problem) and files > most_files and not problem.mends:
            continue
        # What can be done by a key need not be told.
        found.append(replace(problem, remedy="") if problem.mends else problem)
    return found


def about_list(draft: Draft) -> list[Problem]:
    """The way back from folders that are listed one by one."""
    tables = draft.value("dataset.concepts")
    if not tables:
        return []
    message = f"{counted(len(tables), 'folder')} listed one by one in the TOML."
    offer = Mend("Forget the list, to give one folder above", {"dataset.concepts": []})
    return [Problem(message, "dataset.concepts", severity="note", mends=(offer,))]


def is_file(problem: Problem) -> bool:
    """Whether it is about a file, not an option."""
    return problem.where.startswith("/")


def mend(draft: Draft, offer: Mend) -> None:
    """Do what a problem offers."""
    for key, value in offer.values.items():
        draft.put(key, value)
    if offer.values.get("dataset.concepts"):
        draft.put("dataset.repeats", None)  # each folder has its own now
    elif "dataset.concepts" in offer.values:
        draft.revert("dataset.repeats")


def path_of(draft: Draft, value: str) -> Path | None:
    """What a path in the draft means; None for nothing, or what is no path."""
    if not value:
        return None
    try:
        return Path(resolve_path(value, draft.folder))
    except WizardError:
        return None


def _is_there(draft: Draft, value: str) -> bool:
    folder = path_of(draft, value)
    return folder is not None and folder.is_dir()


def _sizes(samples: Sequence[Sample]) -> str:
    sizes = {(item.width * item.height, item.width, item.height) for item in samples}
    ends = (min(sizes), max(sizes)) if sizes else ()
    return "-".join(dict.fromkeys(f"{width}x{height}" for _, width, height in ends))
