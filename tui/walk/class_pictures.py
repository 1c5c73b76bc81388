"""Class pictures in the walk: what is to be drawn, for the draft as it is."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from ...core.config.options import OptionInfo, walk
from ...core.config.typed_section import typed
from ...core.config.values import as_text
from ...core.dataset.layout_words import counted
from ...core.errors import ProblemsError, WizardError
from ...core.regularization.options import ClassPictureOptions
from ...core.regularization.start import WHAT, Work, default_folder, uses
from ...core.run.events import Event
from ...core.run.tasks import TaskDirectory, task_directory
from .assessment import Assessment
from .draft import Draft

ABOUT = (
    "Class pictures are what the base model draws for the class without your subject. Trained "
    "beside yours, they keep it able to draw others of the class; an epoch takes about twice as "
    "long. Faces and styles often do without."
)
_FACT = "class_pictures"
_KEY = "dataset.regularization_folder"
_TITLE = "Class pictures"
_beginning: set[Path] = set()


def infos() -> list[OptionInfo]:
    """Their options, those that matter first."""
    return sorted(walk(ClassPictureOptions), key=lambda info: info.level != "basic")


def texts(draft: Draft) -> dict[str, str]:
    """What stands in the field of each option: what was typed, or else the default."""
    found = {info.key: as_text(info, info.default) for info in infos()}
    found["class_word"] = draft.fact("class_word")
    try:
        kept = json.loads(draft.fact(_FACT) or "{}")
    except ValueError:
        kept = {}
    if isinstance(kept, dict):
        found |= {key: str(text) for key, text in kept.items() if key in found}
    return found


def keep(draft: Draft, key: str, text: str) -> None:
    """Keep what was typed into the field of an option."""
    kept = texts(draft)
    kept[key] = text
    changed = {info.key: kept[info.key] for info in infos() if info.key != "class_word"}
    draft.note(_FACT, json.dumps(changed, ensure_ascii=False))
    if key == "class_word":
        draft.note("class_word", text)


def work_of(draft: Draft, known: Assessment | None) -> Work:
    """What would be drawn. Raises WizardError with what is in the way."""
    if known is None or known.config is None or known.plan is None:
        raise WizardError("There are no pictures yet", "", "Name their folder in this step first.")
    model = [problem for problem in known.errors if problem.where.startswith("model.")]
    if model:
        raise ProblemsError("The base model cannot draw yet: it is chosen at the step Model", model)
    options = typed(ClassPictureOptions, _given(texts(draft)), _TITLE, draft.folder)
    return Work(
        known.config, default_folder(known.config).absolute(), (options,), (uses(known.config),)
    )


def told(work: Work) -> list[str]:
    """What it comes to, a line each."""
    (order,) = work.orders()
    missing = len(order.missing())
    return [
        f"An epoch uses {work.counts[0]:,}: as many as your pictures x repeats.",
        f"{order.count - missing:,} of {order.count:,} are there; "
        f"{counted(missing, 'picture')} of {order.prompt.width}x{order.prompt.height} to draw.",
        f"They go into {order.folder}",
    ]


def directory(known: Assessment | None) -> TaskDirectory | None:
    """Where the job is, or would be, that draws for the draft."""
    if known is None or known.config is None:
        return None
    try:
        return task_directory(WHAT, default_folder(known.config).absolute())
    except WizardError:
        # No pictures are named yet.
        return None


def begin(draft: Draft, work: Work) -> None:
    """Start drawing. Raises WizardError."""
    path = work.directory.path
    _beginning.add(path)
    try:
        work.begin(command(draft, work))
    finally:
        _beginning.discard(path)


def is_beginning(task: TaskDirectory) -> bool:
    """Whether this wizard is starting it, perhaps from a screen that was left since."""
    return task.path in _beginning


def command(draft: Draft, work: Work) -> list[str]:
    """What is typed to go on with it elsewhere; the draft's TOML has to be saved for that."""
    words = ["lora-wizard", "regularize", str(draft.source or f"{draft.name}.toml")]
    words += ["--into", str(work.into)]
    changed = {info.key: as_text(info, info.default) for info in infos()}
    for key, text in _given(texts(draft)).items():
        if text != changed[key]:
            words.append(f"--{key.replace('_', '-')}={text}")
    return words


def newest(events: Sequence[Event]) -> tuple[Path, str] | None:
    """The last picture that was drawn, and what to say of it."""
    for event in reversed(events):
        if event["kind"] == "drawn":
            return Path(str(event.get("path", ""))), f"seed {event.get('seed', '')}"
    return None


def use(draft: Draft, into: Path) -> bool:
    """Train with them; whether that is new."""
    if draft.value(_KEY) == str(into):
        return False
    draft.put(_KEY, str(into))
    return True


def _given(found: Mapping[str, str]) -> dict[str, str]:
    """Of the texts those that say something; an empty negative prompt does."""
    return {key: text for key, text in found.items() if text.strip() or key == "negative_prompt"}
