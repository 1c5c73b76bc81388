"""Where a captioner's model is: a folder, in transformers' layout or with a few named files, or the
same in the hub's cache.

Free of torch, so that what is not downloaded, cut off or of another kind is said before work
starts. Nothing is downloaded here: the command that does it is part of what is said.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..core.config.paths import is_hub_id, resolve_base_model
from ..core.errors import Problem, WizardError
from ..core.weights.base_model import is_pickled
from ..core.weights.header import HeaderError, read_header

_WHERE = "model"
_CONFIG, _WEIGHTS, _INDEX = "config.json", "model.safetensors", "model.safetensors.index.json"
_PROCESSORS = ("preprocessor_config.json", "processor_config.json")
_TOKENIZERS = ("tokenizer.json", "vocab.txt", "vocab.json", "tokenizer.model", "spiece.model")
_OF_ONE_KIND: Mapping[str, str] = {
    "blip": "blip",
    "blip-2": "blip2",
    "clip": "clip_interrogator",
    "florence2": "florence2",
}
"""transformers' name of a kind of model, and the captioner that reads it and nothing else."""


class ModelFilesError(WizardError):
    """A captioner's model is not there, not whole, or not of a kind that the captioner reads."""


@dataclass(frozen=True)
class Kind:
    """Which models a captioner reads."""

    title: str
    """As in "this is no BLIP model"."""
    usual: str
    """The hub id to recommend."""
    type: str = ""
    """What `config.json` calls it; empty for any kind that no other captioner reads."""
    files: Sequence[str] = ()
    """All that is read of it; if empty, whatever transformers reads of a model with a tokenizer and
    pictures. Without a ``config.json`` among them, it is no model of transformers."""
    sizes: Mapping[str, str] = field(default_factory=dict)
    """By hub id, how much a download is."""


def missing_model(name: str, kind: Kind) -> list[Problem]:
    """Why the model ``name`` (a hub id or a folder) cannot be read by a captioner of ``kind``;
    empty when it can."""
    found = _look(name, kind)
    return [] if isinstance(found, Path) else [found]


def wrong_lengths(least: int, most: int) -> list[Problem]:
    """That a caption's ``min_length`` is above its ``max_length``, if so."""
    if least <= most:
        return []
    message = f"min_length {least} is above max_length {most}"
    return [Problem(message, "min_length", remedy="Make it smaller.")]


def model_folder(name: str, kind: Kind) -> Path:
    """The folder of the model ``name``. Raises ModelFilesError, as `missing_model` says."""
    found = _look(name, kind)
    if isinstance(found, Path):
        return found
    raise ModelFilesError("The captioner's model cannot be read", found.message, found.remedy)


def model_type(folder: Path) -> str:
    """What its `config.json` calls it; "" where it says nothing."""
    return str(_config(folder).get("model_type", ""))


def version_of(name: str) -> list[Any]:
    """What tells the model ``name``, as it is on this machine now, from others of that name: its
    commit on the hub, or the `stamps` of its folder's files. Empty when it is not there."""
    try:
        resolved = resolve_base_model(name, Path.cwd()) if name else ""
        if is_hub_id(resolved):
            snapshot = _snapshot(resolved)
            return [snapshot.name] if snapshot else []
        return stamps(sorted(Path(resolved).iterdir())) if resolved else []
    except (OSError, WizardError):
        return []


def stamps(paths: Iterable[Path]) -> list[Any]:
    """Name, size in bytes and modification time (ns) of the files that are there."""
    found: list[Any] = []
    for path in paths:
        with contextlib.suppress(OSError):
            told = path.stat()
            found.append([os.fsencode(path.name).hex(), told.st_size, told.st_mtime_ns])
    return found


def download_command(name: str, kind: Kind) -> str:
    """What brings a model into the hub's cache, without the weights that are never read."""
    if kind.files:
        return f"hf download {name} {' '.join(kind.files)}"
    return f'hf download {name} --exclude "*.bin" --exclude "*.h5"'


def _look(name: str, kind: Kind) -> Path | Problem:
    try:
        resolved = resolve_base_model(name, Path.cwd()) if name else ""
    except WizardError as error:
        return Problem(f"{name!r} is no model: {error.title}", _WHERE, remedy=error.remedy)
    if not is_hub_id(resolved):
        return _unreadable(name, Path(resolved), kind, "") or Path(resolved)
    command = download_command(resolved, kind)
    cached = _snapshot(resolved)
    if cached is None:
        size = kind.sizes.get(resolved)
        words = f"Download it once ({size})" if size else "Download it once"
        return Problem(f"{resolved} is not on this machine", _WHERE, remedy=f"{words}: {command}")
    return _unreadable(resolved, cached, kind, command) or cached


def _snapshot(repository: str) -> Path | None:
    """The newest one in the hub's cache. Read from the cache's own files: the hub's client, which
    could tell, takes a quarter of a second to import."""
    from huggingface_hub.constants import HF_HUB_CACHE

    folder = Path(HF_HUB_CACHE, f"models--{repository.replace('/', '--')}")
    try:
        commit = (folder / "refs/main").read_text().strip()
    except (OSError, ValueError):
        return None
    snapshot = folder / "snapshots" / commit
    return snapshot if commit and _is_folder(snapshot) else None


def _unreadable(name: str, folder: Path, kind: Kind, command: str) -> Problem | None:
    """``command`` brings what is missing in a folder of the hub's cache."""
    files = kind.files or (_CONFIG,)
    absent = [file for file in files if not _is_file(folder / file)]
    if not name or not _is_folder(folder) or (len(absent) == len(files) and not command):
        what = f"{name} is no folder with a {files[0]}" if name else "no model is given"
        holding = f"that holds {', '.join(files)}" if kind.files else "in transformers' layout"
        remedy = f"Give a folder {holding}, or a hub id such as {kind.usual}."
        return Problem(what, _WHERE, remedy=remedy)
    if absent:
        are = "are" if absent[1:] else "is"
        message = f"{name} is not whole: {' and '.join(absent)} {are} missing"
        return Problem(message, _WHERE, remedy=_mend(command))
    if _CONFIG not in files:
        return None
    return (
        _of_another_kind(name, folder, kind)
        or _without_weights(name, folder, command)
        or (None if kind.files else _without_the_rest(name, folder, command))
    )


# Unlike Path's methods, these are no errors where a folder may not be looked into.
def _is_folder(path: Path) -> bool:
    return os.path.isdir(path)  # noqa: PTH112


def _is_file(path: Path) -> bool:
    return os.path.isfile(path)  # noqa: PTH113


def _of_another_kind(name: str, folder: Path, kind: Kind) -> Problem | None:
    type_ = model_type(folder)
    other = _OF_ONE_KIND.get(type_, "vision_language")
    fits = type_ == kind.type if kind.type else bool(type_) and other == "vision_language"
    if not fits:
        said = f": it is called {type_!r} in its {_CONFIG}" if type_ else ""
        choose = f"Choose the captioner {other}, or give" if type_ else "Give"
        return Problem(
            f"{name} is no {kind.title} model{said}", _WHERE, remedy=f"{choose} {kind.usual}."
        )
    if kind.type and "auto_map" in _config(folder):
        return Problem(
            f"{name} comes with program code of its own, which is never run",
            _WHERE,
            remedy=f"Take a copy that transformers reads by itself, such as {kind.usual}.",
        )
    return None


def _without_weights(name: str, folder: Path, command: str) -> Problem | None:
    index = _json(folder / _INDEX)
    weights = index.get("weight_map")
    named = {str(file) for file in weights.values()} if isinstance(weights, dict) else {_WEIGHTS}
    if (folder / _WEIGHTS).exists():
        named = {_WEIGHTS}
    absent = sorted(file for file in named if not (folder / file).is_file())
    if not absent:
        return _cut_off(name, folder, sorted(named), command)
    if any(is_pickled(file.name) for file in folder.iterdir()) and named == {_WEIGHTS}:
        return Problem(
            f"{name} has only pickled weights here, which can run a stranger's code",
            _WHERE,
            remedy=_again(command) or "Take a copy with .safetensors weights.",
        )
    return Problem(f"{name} is not whole: {absent[0]} is missing", _WHERE, remedy=_mend(command))


def _cut_off(name: str, folder: Path, files: list[str], command: str) -> Problem | None:
    for file in files:
        try:
            read_header(folder / file)
        except HeaderError as error:
            message = f"{name}: {file} is no whole file. {error.message}".strip()
            return Problem(message, _WHERE, remedy=_mend(command))
    return None


def _without_the_rest(name: str, folder: Path, command: str) -> Problem | None:
    for files in (_PROCESSORS, _TOKENIZERS):
        if not any(_is_file(folder / file) for file in files):
            return Problem(
                f"{name} is not whole: {files[0]} is missing", _WHERE, remedy=_mend(command)
            )
    return None


def _mend(command: str) -> str:
    return _again(command) or "Copy the whole folder again."


def _again(command: str) -> str:
    if not command:
        return ""
    return (
        f"Download the rest: {command}. If it stays so, its owners do not give it: take another "
        "model."
    )


def _config(folder: Path) -> dict[str, Any]:
    return _json(folder / _CONFIG)


def _json(path: Path) -> dict[str, Any]:
    """A JSON object; empty when there is none that can be read."""
    try:
        found: Any = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
