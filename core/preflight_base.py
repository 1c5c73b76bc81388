"""Whether the base model can be had and is what it should be, before a GPU is paid for.

Nothing is downloaded and no weight is read: configurations, and the headers of weight files.
"""

from __future__ import annotations

import math
import os
import shutil
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from .config import RunConfig
from .config.paths import is_hub_id
from .errors import Problem, WizardError
from .families import registry as families
from .families.base import FamilySpec, LoraTarget, PartSize
from .places import existing, size_text
from .preflight_vae import vae_problems, vae_size
from .weights.base_model import (
    BaseModel,
    BaseModelError,
    locate,
    missing_files,
    read_json,
    weight_variant,
)
from .weights.clip_vocabulary import (
    CLIP_TOKENS,
    find_vocabulary,
    missing_vocabulary,
    unknown_words,
    unreachable_vocabulary,
)
from .weights.header import Header
from .weights.recognition import WrongFamilyError, refusal
from .weights.recognition_folder import recognise_folder
from .weights.single_file import SingleFile

HUB_PATIENCE = 8.0
"""Seconds in which the hub must have answered; a rented machine waits no longer for a check."""
_KEY = "model.base"


@dataclass(frozen=True)
class BaseFindings:
    """What is known of the base: ``parts`` are its parts with weights by subfolder, empty when
    their files are not here; ``download_bytes`` is what is still to come from the hub."""

    problems: list[Problem] = field(default_factory=list)
    parts: Mapping[str, PartSize] = field(default_factory=dict)
    download_bytes: int = 0
    vocabulary: Path | None = None
    """A folder with the tokenizer, by which captions are counted."""
    lora_targets: Sequence[LoraTarget] = ()
    """All layers that can get a LoRA; empty when the files are not here."""

    lora_ranks: Mapping[str, int] = field(default_factory=dict)
    """Of layers that keep the rank that they have in `network.weights`, by key; see
    `preflight_lora`."""

    @property
    def lora_values_per_rank(self) -> int:
        """How many numbers a LoRA of rank 1 on all the base's attention blocks has."""
        return sum(part.lora_values for part in self.parts.values())


def inspect_base(config: RunConfig, spec: FamilySpec, *, online: bool = True) -> BaseFindings:
    """Look at ``model.base``; asks the hub only for what is not on this machine, not for longer
    than `HUB_PATIENCE`, and not at all unless ``online``."""
    if not spec.parts:
        return BaseFindings()  # a family that says nothing of its files looks for them itself
    name, given = config.model.base, {"vae"} if config.model.vae else set[str]()
    if is_hub_id(name) and not os.path.exists(name):  # noqa: PTH110 (see config_paths)
        cached = _cached(name, spec, given)
        if cached is None:
            found = _ask_hub(name, spec, given) if online else BaseFindings()
            # Another model may have brought the same words.
            return replace(found, vocabulary=find_vocabulary(CLIP_TOKENS, Path.cwd()))
        folder = cached
    else:
        folder = Path(name)
    try:
        base = locate(str(folder), spec.parts, spec.open_file, given)
        there = [part for part in spec.parts if part.weights and base.has(part.folder)]
        headers = {part: list(base.headers(part)) for part in there}
        problems = [*_wrong_kind(base, spec)]
        if spec.check_base and not problems:
            problems += spec.check_base(base, config)
        if online and isinstance(base, SingleFile) and base.vocabulary() is None:
            problems += _vocabulary_problems(base)
        targets = spec.lora_targets(base) if spec.lora_targets else ()
        sizes = {
            part.folder: _size(found, [t for t in targets if t.folder == part.folder])
            for part, found in headers.items()
        }
    except WizardError as error:
        return BaseFindings([_as_problem(_in_other_words(error, folder, spec))])
    except OSError as error:
        why = f"cannot be read: {error.strerror or error}"
        return BaseFindings([Problem(why, _KEY, remedy="Check the folder's permissions.")])
    problems += vae_problems(config, spec, base)
    if given - sizes.keys() and (size := vae_size(config, spec)):
        sizes["vae"] = size
    return BaseFindings(problems, sizes, lora_targets=tuple(targets), vocabulary=base.vocabulary())


def _as_problem(error: WizardError) -> Problem:
    detail = error.message.removeprefix(f"{_KEY}: ")
    words = f"{error.title} ({detail})" if detail else error.title
    if isinstance(error, WrongFamilyError) and error.family in families.names():
        remedy = f"Set the family to {error.family}, or choose another base."
        return Problem(words, "model.family", remedy=remedy)
    return Problem(words, _KEY, remedy=error.remedy)


def _in_other_words(error: WizardError, folder: Path, spec: FamilySpec) -> WizardError:
    """What a folder is says more than what it lacks."""
    if folder.is_dir() and isinstance(error, BaseModelError):
        seen = recognise_folder(folder)
        return (refusal(seen, spec.name, spec.title) if seen else None) or error
    return error


def _wrong_kind(base: BaseModel, spec: FamilySpec) -> Iterator[Problem]:
    index = base.folder / "model_index.json"
    if not spec.pipelines or not index.exists():
        return
    kind = str(read_json(index).get("_class_name"))
    if kind not in spec.pipelines:
        yield Problem(
            f"{base.name} is made for {kind}, which is not {spec.title}",
            where="model.family",
            remedy="Choose the family that fits, or another base.",
        )


def _size(headers: Iterable[Header], targets: Iterable[LoraTarget]) -> PartSize:
    values = sum(math.prod(info.shape) for header in headers for info in header.tensors.values())
    always: list[int] = []
    beside: list[int] = []
    convolutions: list[int] = []
    for target in targets:
        kind = convolutions if target.is_convolution else beside if target.beside else always
        kind.append(target.values_per_rank)
    sizes = [size for kind in (always, beside, convolutions) for size in (len(kind), sum(kind))]
    return PartSize(values, *sizes)


def _cached(name: str, spec: FamilySpec, given: Collection[str]) -> Path | None:
    """The folder of a hub id in the hub's cache, if everything that is read is there."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        folder = Path(snapshot_download(name, local_files_only=True))
    except (LocalEntryNotFoundError, HFValidationError):
        return None
    return None if missing_files(folder, spec.parts, given) else folder


def _ask_hub(name: str, spec: FamilySpec, given: Collection[str]) -> BaseFindings:
    if os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE"):
        return BaseFindings([_unreachable(name, "HF_HUB_OFFLINE is set")])
    answer: list[BaseFindings] = []
    _ask_in_thread(_caught(lambda: _hub_findings(name, spec, given), name, answer))
    slow = f"no answer in {HUB_PATIENCE:g} seconds"
    return answer[0] if answer else BaseFindings([_unreachable(name, slow)])


def _vocabulary_problems(base: SingleFile) -> list[Problem]:
    """What is said of a checkpoint whose words are not on this machine; asks the hub."""
    if base.vocabulary_size != CLIP_TOKENS:
        return [_as_problem(unknown_words(base.vocabulary_size, base.folder.parent))]
    answer: list[str] = []
    _ask_in_thread(lambda: answer.append(unreachable_vocabulary(HUB_PATIENCE)))
    why = answer[0] if answer else f"no answer in {HUB_PATIENCE:g} seconds"
    if why:
        return [_as_problem(missing_vocabulary(why))]
    message = "CLIP's vocabulary, which no single file holds, will be downloaded first (1.6 MB)"
    return [Problem(message, where=_KEY, severity="note")]


def _ask_in_thread(ask: Callable[[], object]) -> None:
    """Wait for ``ask`` no longer than `HUB_PATIENCE`. A name that does not resolve, or a proxy that
    swallows packets, is slower than any timeout that the client has; a daemon thread can be left
    behind."""
    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(HUB_PATIENCE)


def _caught(
    ask: Callable[[], BaseFindings], name: str, answer: list[BaseFindings]
) -> Callable[[], None]:
    def work() -> None:
        try:
            answer.append(ask())
        except WizardError as error:
            answer.append(BaseFindings([_as_problem(error)]))
        except Exception as error:
            # The client's errors are of many libraries, and their texts may hold an address with
            # parameters, so only the kind is shown.
            answer.append(BaseFindings([_unreachable(name, type(error).__name__)]))

    return work


def _hub_findings(name: str, spec: FamilySpec, given: Collection[str]) -> BaseFindings:
    from huggingface_hub import HfApi
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError

    hub = HfApi()
    try:
        hub.auth_check(name)
        info = hub.model_info(name, files_metadata=True, timeout=HUB_PATIENCE)
    except GatedRepoError:
        raise BaseModelError(
            f"{name} is gated: its licence must be accepted",
            "",
            f"Accept it at https://huggingface.co/{name}, then log in: hf auth login (or set "
            "HF_TOKEN)",
        ) from None
    except RepositoryNotFoundError:
        raise BaseModelError(
            f"The hub does not know {name}, or does not show it to you",
            "",
            "Look for a typing mistake; a private one needs a login: hf auth login",
        ) from None
    sizes = {file.rfilename: file.size or 0 for file in info.siblings or []}
    download = sum(_part_bytes(name, sizes, spec, given))
    note = Problem(
        f"{name} is not on this machine yet; {size_text(download)} will be downloaded first",
        where=_KEY,
        severity="note",
    )
    return BaseFindings([note, *_no_room(download)], download_bytes=download)


def _no_room(download: int) -> Iterator[Problem]:
    from huggingface_hub.constants import HF_HUB_CACHE

    folder = existing(Path(HF_HUB_CACHE))
    free = shutil.disk_usage(folder).free
    if download > free:
        yield Problem(
            f"{size_text(download)} will be downloaded to {HF_HUB_CACHE}, and there are "
            f"{size_text(free)} left",
            where=_KEY,
            remedy="Free some space, or set HF_HOME to a folder on a larger disk.",
        )


def _part_bytes(
    name: str, sizes: dict[str, int], spec: FamilySpec, given: Collection[str]
) -> Iterable[int]:
    """The size of the weights that are read of each part. Raises BaseModelError when a part has
    none as safetensors."""
    for part in spec.parts:
        if not part.weights:
            continue
        prefix = f"{part.folder}/"
        names = [file.removeprefix(prefix) for file in sizes if file.startswith(prefix)]
        if not names and part.folder in given:
            continue
        try:
            variant = weight_variant(names, part.weights)
        except FileNotFoundError:
            raise BaseModelError(
                f"{name} has no .safetensors weights in {part.folder}",
                "",
                "Take another copy of it: pickled weights are never read.",
            ) from None
        stem = f"{prefix}{part.weights}.{variant}" if variant else f"{prefix}{part.weights}"
        yield sum(
            size
            for file, size in sizes.items()
            if file == f"{stem}.safetensors"
            or (file.startswith(f"{stem}-") and file.endswith(".safetensors"))
        )


def _unreachable(name: str, why: str) -> Problem:
    return Problem(
        f"{name} is not on this machine, and the hub cannot be reached ({why})",
        where=_KEY,
        remedy="Go online, or give a checkpoint or folder that is on this machine.",
    )
