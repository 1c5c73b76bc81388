"""Where a base model lies: a folder in the diffusers layout, the hub's cache, the embedded one, or
a single file (`single_file`).

Free of torch, so that a missing, gated or half-downloaded base is known before a GPU is paid for.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from ..config.paths import is_hub_id, resolve_base_model
from ..errors import WizardError
from ..files import sha256_of, write_json
from ..places import cache_folder
from .header import Header, read_header

_UNSAFE_ENDINGS = (".bin", ".ckpt", ".pt", ".pth", ".pkl")
_SAFE_ENDINGS = (".safetensors", ".safetensors.index.json")
_HASHED_ENDINGS = (".safetensors", ".json", ".txt", ".model")


class BaseModelError(WizardError):
    """The base model is not there, not whole, or not of a kind that is read."""


@dataclass(frozen=True)
class Part:
    """One subfolder of a base: what must be in it."""

    folder: str
    weights: str = ""
    """The stem of its weight file, such as ``model``; empty for a part without weights."""
    files: tuple[str, ...] = ()
    instead: tuple[str, ...] = ()
    """Files that stand for all of ``files``: transformers 5 saves tokenizers in one."""
    option: str = ""
    """The key that gives this part from elsewhere, where there is one."""
    title: str = ""
    """What people call such a part."""


@dataclass(frozen=True)
class BaseModel:
    """A base model on this machine, in the diffusers layout unless a subclass says otherwise.
    ``variants`` names, per part that is there, the variant of its weight file (``fp16``), or None
    for the plain one."""

    name: str
    folder: Path
    variants: Mapping[str, str | None]

    def has(self, part: str) -> bool:
        """Whether the part in subfolder ``part`` is in it: one given from elsewhere need not be."""
        return part in self.variants

    def config(self, part: str, file: str = "config.json") -> dict[str, Any]:
        """A part's configuration. Raises BaseModelError when it is not a JSON object."""
        return read_json(self.folder / part / file)

    def headers(self, part: Part) -> Iterator[Header]:
        """Of the weight files of ``part`` that are read, with diffusers' names. Raises HeaderError
        for a file that a download cut off."""
        stem = _with_variant(part.weights, self.variants[part.folder])
        folder = self.folder / part.folder
        whole = folder / f"{stem}.safetensors"
        for path in [whole] if whole.exists() else sorted(folder.glob(f"{stem}-*.safetensors")):
            yield read_header(path)

    def vocabulary(self) -> Path | None:
        """The folder of its tokenizer, if it is on this machine."""
        return self.folder / "tokenizer"

    def tokenizer_folder(self) -> Path:
        """Where the tokenizer is. Raises BaseModelError when it is nowhere."""
        return self.folder / "tokenizer"

    def content_hash(self, parts: Sequence[Part]) -> str:
        """SHA-256 over the names and contents of the parts' files; the same wherever they lie."""
        digest = sha256()
        there = [part for part in parts if self.has(part.folder)]
        for part in sorted(there, key=lambda part: part.folder):
            for path in self._files_read(part):
                digest.update(f"{part.folder}/{path.name}\0{file_hash(path)}\n".encode())
        return digest.hexdigest()

    def _files_read(self, part: Part) -> list[Path]:
        present = sorted(
            path
            for path in (self.folder / part.folder).iterdir()
            if path.is_file() and path.name.endswith(_HASHED_ENDINGS)
        )
        if not part.weights:
            return present
        stem = _with_variant(part.weights, self.variants[part.folder])
        return [
            path
            for path in present
            if path.name == "config.json"
            or (
                path.name.startswith((f"{stem}.", f"{stem}-")) and path.name.endswith(_SAFE_ENDINGS)
            )
        ]


OpenFile = Callable[[str, Path], BaseModel]
"""How a family opens a single file: (what the base was called, the file)."""


def locate(
    name: str,
    parts: Sequence[Part],
    open_file: OpenFile | None = None,
    given: Collection[str] = (),
) -> BaseModel:
    """Find the base model ``name``, downloading it from the hub when it is neither on this machine
    nor in the hub's cache. ``open_file`` opens a single file, where the family reads them. Parts in
    the subfolders ``given`` may be absent: they come from elsewhere.

    Raises BaseModelError with what to do: missing, not in the diffusers layout, of another kind or
    family, pickled weights (never read), gated, offline.
    """
    resolved = resolve_base_model(name, Path.cwd())
    folder = Path(resolved)
    if is_hub_id(resolved):
        from .hub import snapshot

        folder = snapshot(resolved, parts, given)
    if folder.is_file():
        if open_file is None:
            raise BaseModelError(
                "The base model is a single file",
                f"model.base: {folder}: this family is read from folders",
                "Give a folder in the diffusers layout or a hub id.",
            )
        base = open_file(name, folder)
        for part in parts:
            if part.weights and part.folder not in given and not base.has(part.folder):
                raise _absent_part("The checkpoint", folder, part)
        return base
    if not folder.is_dir():
        raise BaseModelError(
            "The base model is not there",
            f"model.base: {folder}",
            "Give a .safetensors checkpoint, a folder in the diffusers layout, a hub id such as "
            "stable-diffusion-v1-5/stable-diffusion-v1-5, or embedded:demo.",
        )
    there = [part for part in parts if part.folder not in given or _is_whole(folder, part)]
    return BaseModel(name, folder, {part.folder: _check_part(folder, part) for part in there})


def missing_files(folder: Path, parts: Sequence[Part], given: Collection[str] = ()) -> bool:
    """Whether a part of the base, but for those ``given``, is not whole in ``folder``."""
    return not all(_is_whole(folder, part) for part in parts if part.folder not in given)


def _is_whole(folder: Path, part: Part) -> bool:
    try:
        _check_part(folder, part)
    except BaseModelError:
        return False
    return True


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object from a base model's file."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise BaseModelError(
            "A file of the base model cannot be read",
            f"{path}: {error}",
            "Download the base model again.",
        ) from error
    if not isinstance(value, dict):
        raise BaseModelError(
            "A file of the base model is not what it should be",
            f"{path}: not a JSON object",
            "Download the base model again.",
        )
    return value


def weight_variant(names: Iterable[str], stem: str) -> str | None:
    """The variant of a part's weights to read among file ``names``: the plain file, else fp16.

    Raises FileNotFoundError when neither is there as safetensors.
    """
    present = set(names)
    for variant in (None, "fp16"):
        if any(_with_variant(stem, variant) + ending in present for ending in _SAFE_ENDINGS):
            return variant
    raise FileNotFoundError(stem)


def _with_variant(stem: str, variant: str | None) -> str:
    return f"{stem}.{variant}" if variant else stem


def _check_part(base: Path, part: Part) -> str | None:
    folder = base / part.folder
    names = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    missing = [file for file in part.files if file not in names]
    if part.instead and names.issuperset(part.instead):
        missing = []
    if not names and part.option:
        raise _absent_part("The base model", folder, part)
    if not names or missing:
        raise BaseModelError(
            "The base model is not whole",
            f"{folder}: {', '.join(missing) or 'the folder'} is missing",
            "Give a folder in the diffusers layout (model_index.json, unet, vae, text_encoder, "
            "tokenizer, scheduler), or download it again.",
        )
    if not part.weights:
        return None
    try:
        return weight_variant(names, part.weights)
    except FileNotFoundError:
        if any(map(is_pickled, names)):
            raise _pickled(folder) from None
        raise BaseModelError(
            "The base model is not whole",
            f"{folder}: {part.weights}.safetensors is missing",
            "Download it again.",
        ) from None


def _absent_part(what: str, path: Path, part: Part) -> BaseModelError:
    title = part.title or part.folder
    remedy = f"Take a version with the {title} in it."
    if part.option:
        remedy = f"Give {part.option}, or take a version with the {title} in it."
    return BaseModelError(f"{what} has no {title} in it", f"model.base: {path}", remedy)


def is_pickled(name: str) -> bool:
    """Whether a file of this name holds pickled weights, which are never read."""
    return name.lower().endswith(_UNSAFE_ENDINGS)


def _pickled(folder: Path) -> BaseModelError:
    return BaseModelError(
        "The base model's weights are pickled, which can run a stranger's code",
        f"{folder}: only .safetensors files are read",
        "Take a base that has .safetensors files, or convert a copy that you trust on a machine "
        "that you can lose: StableDiffusionPipeline.from_pretrained(FOLDER)"
        ".save_pretrained(NEW_FOLDER, safe_serialization=True) in Python with diffusers.",
    )


def file_hash(path: Path) -> str:
    """SHA-256 of a file, remembered by path, size and modification time: bases are gigabytes."""
    real = path.resolve()
    status = real.stat()
    stamp = [str(real), status.st_size, status.st_mtime_ns]
    name = sha256(str(real).encode("utf-8", "surrogateescape")).hexdigest()[:32]
    memory = cache_folder() / "file-hashes" / f"{name}.json"
    if remembered := _remembered_hash(memory, stamp):
        return remembered
    value = sha256_of(real)
    # Only a memory: a full disk or an odd path costs the time of hashing again.
    with contextlib.suppress(WizardError, OSError, ValueError):
        write_json(memory, {"stamp": stamp, "sha256": value}, durable=False)
    return value


def _remembered_hash(memory: Path, stamp: list[str | int]) -> str | None:
    """None when nothing is remembered of the file as it is now, or the memory is damaged."""
    try:
        remembered = json.loads(memory.read_text(encoding="utf-8"))
        return str(remembered["sha256"]) if remembered["stamp"] == stamp else None
    except (OSError, ValueError, KeyError, TypeError):
        return None
