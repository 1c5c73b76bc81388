"""What a path on the command line opens: a TOML, or a folder or zip of pictures."""

from __future__ import annotations

import shlex
from pathlib import Path

from ...core.dataset.archive_words import is_zip
from ...core.errors import WizardError
from ...core.run.directory import RunDirectory
from . import steps
from .dataset import clear_placeholders
from .draft import Draft, drafts
from .memory import remember_toml
from .presets import presets

_FOLDER = "dataset.folder"


def opened(path: Path) -> Draft:
    """A draft of the TOML at ``path``; or of the pictures there: the one that was left, or else a
    new one. Raises WizardError when there is nothing, or nothing that can be read."""
    path = path.expanduser().absolute()
    if RunDirectory(path).record_path.is_file():
        which = shlex.quote(str(path))
        remedy = f"Watch it: lora-wizard attach {which}\nIts files: lora-wizard results {which}"
        raise WizardError("This is a run, not a folder of pictures", str(path), remedy)
    if path.is_dir() or is_zip(path):
        return _of_pictures(path)
    return of_toml(path)


def of_toml(path: Path) -> Draft:
    """A draft of the TOML at ``path``; where something is wrong in it, at the review, which lists
    it all. Raises WizardError when it cannot be read."""
    draft = Draft.of_file(path)
    if any(problem.severity == "error" for problem in draft.snapshot().read().problems):
        draft.step = steps.STEPS[-1].name
    remember_toml(path)
    return draft


def _of_pictures(path: Path) -> Draft:
    if not path.exists():
        raise WizardError("There is no such file", str(path), "Is the upload still going on?")
    # Unpacked, the folder beside a zip has taken its place.
    same = {str(path), str(path.with_suffix(""))} if is_zip(path) else {str(path)}
    for draft in drafts():
        if draft.template and draft.shown(_FOLDER) in same:
            return draft
    draft = Draft.new(presets()[0].name)
    clear_placeholders(draft)
    draft.enter(_FOLDER, str(path))
    draft.step = "dataset"
    return draft
