"""Base models that are near: used before, in the hub's cache, in the folders where people keep
checkpoints; and two to begin with. Looking through folders belongs into a thread."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from ...core.config.paths import EMBEDDED, is_hub_id, resolve_base_model, templates_folder
from ...core.errors import WizardError
from ...core.families import registry as families
from ...core.places import size_text
from ...core.run.directory import known_runs
from ...core.weights.recognition import recognise_file
from ...core.weights.recognition_folder import recognise_folder
from .draft import drafts

PROPOSED = "stable-diffusion-v1-5/stable-diffusion-v1-5"
SHARED_FOLDERS = (Path("/workspace"), Path("/content"), Path("/mnt/models"))
"""Where rented machines keep their disks, and notebooks their files."""
_BELOW = (
    "",
    "models",
    "checkpoints",
    "models/checkpoints",
    "ComfyUI/models/checkpoints",
    "stable-diffusion-webui/models/Stable-diffusion",
    "stable-diffusion-webui-forge/models/Stable-diffusion",
    "Downloads",
)
_KEY = "model.base"
_MOST_ENTRIES, _MOST_FILES, _MOST_RUNS = 3000, 200, 40
_SMALLEST = 100 << 20
"""Bytes: no whole base is smaller, and LoRAs lie about by the hundred."""
PATIENCE = 3.0
"""Seconds; on a slow network disk, what was found by then is shown."""


@dataclass(frozen=True)
class Nearby:
    """A base model to choose. ``text`` goes into the field; texts are not yet safe to show."""

    text: str
    note: str
    """What it is, or where it comes from."""

    @property
    def name(self) -> str:
        """``text``, shorter where it is in the home folder."""
        home = f"{Path.home()}/"
        return f"~/{self.text.removeprefix(home)}" if self.text.startswith(home) else self.text


def nearby(folder: Path, smallest: int = _SMALLEST) -> list[Nearby]:
    """Base models to offer in a draft whose paths count from ``folder``, those used last first.
    Takes up to `PATIENCE` seconds. Files of fewer bytes than ``smallest`` are left out."""
    deadline = time.monotonic() + PATIENCE
    found = {item.text: item for item in reversed([*_used()])}
    found = dict(reversed(found.items()))
    for item in [*_in_hub_cache(), *_in_folders(folder, smallest, deadline)]:
        found.setdefault(item.text, item)
    found.setdefault(PROPOSED, Nearby(PROPOSED, "SD 1.5, from the hub"))
    found.setdefault(f"{EMBEDDED}demo", Nearby(f"{EMBEDDED}demo", "tiny, comes along: to try"))
    return list(found.values())


def _used() -> Iterator[Nearby]:
    """Of drafts and runs. A preset's proposal is nobody's choice, and what has gone is no offer."""
    for draft in drafts():
        if draft.differs(_KEY):
            yield from _again(str(draft.value(_KEY) or ""), draft.folder, f"draft {draft.name}")
    for run in islice(known_runs(), _MOST_RUNS):
        with contextlib.suppress(WizardError, OSError):
            yield from _again(run.config().model.base, run.path, f"run {run.name}")


def _again(base: str, folder: Path, where: str) -> Iterator[Nearby]:
    """A base that was chosen before, if it is still there and one that is trained."""
    embedded = templates_folder()
    if base.startswith(str(embedded)):
        base = f"{EMBEDDED}{Path(base).relative_to(embedded).parts[0]}"
    with contextlib.suppress(WizardError, OSError):
        path = Path(resolve_base_model(base, folder)) if base else Path()
        if base.startswith(EMBEDDED) or (base and is_hub_id(str(path))):
            yield Nearby(base, where)
        elif base and (seen := _recognised(path)):
            yield Nearby(str(path), f"{seen}, {where}")


def _recognised(path: Path) -> str:
    """What a base of a family that is trained is called; empty for anything else."""
    seen = recognise_file(path) if path.is_file() else recognise_folder(path)
    if seen is None or seen.family not in families.names():
        return ""
    size = f", {size_text(path.stat().st_size)}" if path.is_file() else ""
    return f"{families.find(seen.family).title.replace('Stable Diffusion', 'SD')}{size}"


def _in_hub_cache() -> Iterator[Nearby]:
    from huggingface_hub.constants import HF_HUB_CACHE

    with contextlib.suppress(OSError):
        for index in islice(Path(HF_HUB_CACHE).glob("models--*/snapshots/*/model_index.json"), 50):
            if seen := _recognised(index.parent):
                stored = index.parents[2].name.removeprefix("models--")
                yield Nearby(stored.replace("--", "/", 1), f"{seen}, downloaded")


def _in_folders(folder: Path, smallest: int, deadline: float) -> Iterator[Nearby]:
    roots = [folder, Path.home(), *SHARED_FOLDERS]
    places = dict.fromkeys(root / below for root in roots for below in _BELOW)
    for path in islice(_checkpoints(places, smallest, deadline), _MOST_FILES):
        if time.monotonic() > deadline:
            return
        with contextlib.suppress(WizardError, OSError):
            if seen := _recognised(path):
                yield Nearby(str(path), seen)


def _checkpoints(places: Iterable[Path], smallest: int, deadline: float) -> Iterator[Path]:
    """The .safetensors files in ``places`` and one level below, those in order of name."""
    left = _MOST_ENTRIES
    seen: set[str] = set()
    for place in places:
        # Only in folders of models is it worth looking a level deeper.
        deeper = place.name.lower() in ("models", "checkpoints", "stable-diffusion")
        for one in (place, *(_folders(place) if deeper else ())):
            if time.monotonic() > deadline or left <= 0 or str(one) in seen:
                continue
            seen.add(str(one))
            with contextlib.suppress(OSError), os.scandir(one) as entries:
                listed = list(islice(entries, left))
                left -= len(listed)
                for entry in sorted(listed, key=lambda entry: entry.name):
                    if _is_checkpoint(entry, smallest):
                        yield Path(entry.path)


def _folders(place: Path) -> list[Path]:
    with contextlib.suppress(OSError), os.scandir(place) as entries:
        return [Path(entry.path) for entry in islice(entries, 100) if entry.is_dir()]
    return []


def _is_checkpoint(entry: os.DirEntry[str], smallest: int) -> bool:
    try:
        whole = entry.name.endswith(".safetensors") and entry.is_file()
        return whole and entry.stat().st_size >= smallest
    except OSError:
        return False
