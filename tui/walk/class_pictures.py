"""Class pictures in the walk: what is to be drawn, for the draft as it is."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from ...core.config import RunConfig
from ...core.config.options import OptionInfo, walk
from ...core.config.values import as_text
from ...core.dataset.layout_words import counted
from ...core.errors import ProblemsError, WizardError
from ...core.regularization import classes
from ...core.regularization.options import ClassPictureOptions
from ...core.regularization.start import WHAT, Work, default_folder
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
    into = default_folder(known.config).absolute()
    return classes.work_of(known.config, into, _given(draft, known.config), draft.folder)


def told(work: Work) -> list[str]:
    """What it comes to, a line each."""
    orders = work.orders()
    missing = sum(len(order.missing()) for order in orders)
    count, prompt = sum(order.count for order in orders), orders[0].prompt
    lines = [
        f"An epoch uses {sum(work.counts):,}: as many as your pictures x repeats.",
        f"{count - missing:,} of {count:,} are there; "
        f"{counted(missing, 'picture')} of {prompt.width}x{prompt.height} to draw.",
    ]
    if classes.has_own(work.config):
        own = ", ".join(f"{order.prompt.prompt} ({order.count:,})" for order in orders)
        lines.append(f"By the class prompts of your folders: {own}")
    return [*lines, f"They go into {orders[0].folder if len(orders) == 1 else work.into}"]


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
    for key, text in _given(draft, work.config).items():
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


def _given(draft: Draft, config: RunConfig) -> dict[str, str]:
    """Of the texts those that say something; an empty negative prompt does."""
    found = classes.without_own(config, texts(draft))
    return {key: text for key, text in found.items() if text.strip() or key == "negative_prompt"}
