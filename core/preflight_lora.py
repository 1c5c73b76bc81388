"""Whether the LoRA that a run is to go on from fits, before a GPU is paid for: from its header and
the base's, without torch."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .config import RunConfig
from .errors import Mend, Problem, WizardError
from .estimates.sizes import trained_parts
from .families.base import FamilySpec, LoraTarget
from .preflight_base import BaseFindings
from .weights.lora_file import FileLayer, LoraFile, open_lora, other_family

_KEY = "network.weights"
_ANOTHER = "Name a LoRA that was trained on this base, or leave it out to begin anew."


@dataclass(frozen=True)
class LoraFindings:
    """What is known of ``network.weights``: ``layers`` gives, for each layer of the base that the
    file has something for, its name in the file. ``file`` is None where the option is not set, or
    an error is among ``problems``."""

    problems: list[Problem] = field(default_factory=list)
    file: LoraFile | None = None
    layers: Mapping[str, str] = field(default_factory=dict)
    """By the layer's key in kohya's format."""
    ranks: Mapping[str, int] = field(default_factory=dict)
    """Of ``layers``, which keep theirs because the file has several; empty where all ranks are the
    options'."""


def look_at_lora(config: RunConfig, spec: FamilySpec, base: BaseFindings) -> LoraFindings:
    """Look at ``network.weights``. Without the base's files (they are still to be downloaded), only
    what the file says of itself is compared."""
    name = config.network.weights
    if not name or _KEY in spec.options_that_do_not_apply:
        return LoraFindings()
    if spec.lora_targets is None:
        return LoraFindings([_error(f"is not read for {spec.title}", "Leave it out.")])
    try:
        file = open_lora(Path(name))
    except WizardError as error:
        words = f"{error.title} ({error.message})" if error.message else error.title
        return LoraFindings([Problem(words, _KEY, remedy=error.remedy)])
    except OSError as error:
        return LoraFindings([Problem(f"cannot be read: {error}", _KEY, remedy="Check the path.")])
    family, title, why = other_family(file)
    # A miniature is of its family whatever its widths; it is compared layer by layer.
    if family and family != spec.name and not _fits_somewhere(file, base.lora_targets):
        words = f"is a LoRA for {title}, not {spec.title} ({why})"
        return LoraFindings([_error(words, _ANOTHER)])
    if not base.lora_targets:
        return LoraFindings(file=file)
    return _compared(config, spec, file, base.lora_targets)


def _fits_somewhere(file: LoraFile, targets: Sequence[LoraTarget]) -> bool:
    return any(
        _misfit(file, file.layers[name], target) == ""
        for target in targets
        for name in _names_of(file, target)
    )


def _names_of(file: LoraFile, target: LoraTarget) -> list[str]:
    return list(dict.fromkeys(name for name in target.other_names if name in file.layers))


def _compared(
    config: RunConfig, spec: FamilySpec, file: LoraFile, targets: Sequence[LoraTarget]
) -> LoraFindings:
    trained = trained_parts(config, spec)
    found = {target: names for target in targets if (names := _names_of(file, target))}
    problems: list[Problem] = []
    for target, names in found.items():
        if len(names) > 1:
            problems.append(_error(f"has {names[0]} under a second name too, {names[1]}", _ANOTHER))
        elif misfit := _misfit(file, file.layers[names[0]], target):
            problems.append(_error(f"is for another base model: {misfit}", _ANOTHER))
        if problems:
            return LoraFindings(problems)
    of_parts = {target: names[0] for target, names in found.items() if target.folder in trained}
    kept = {t: n for t, n in of_parts.items() if not t.beside or config.network.conv_rank}
    if not found:
        first = next(iter(file.layers))
        words = f"has no layer of this base: its {len(file.layers)} are such as {first[:80]}"
        return LoraFindings([_error(words, _ANOTHER)])
    problems += _ranks(config, file, of_parts)
    problems += _absent(config, trained, targets, kept, found)
    problems += _left_over(file, found, trained)
    if any(problem.severity == "error" for problem in problems):
        return LoraFindings(problems)
    layers = {target.key: name for target, name in kept.items()}
    tensors = file.header.tensors
    ranks = {key: file.layers[name].rank(tensors) for key, name in layers.items()}
    return LoraFindings(problems, file, layers, ranks if _has_several(file, of_parts) else {})


def _misfit(file: LoraFile, layer: FileLayer, target: LoraTarget) -> str:
    """Why the matrices are not this layer's; "" when they are. A linear layer and a convolution of
    a single cell are the same to a LoRA."""
    tensors = file.header.tensors
    down, up = tensors[layer.down].shape, tensors[layer.up].shape
    inside = (*down[1:], 1, 1)[:3] if len(down) == 2 else down[1:]
    wanted = (*target.shape[1:], 1, 1)[:3] if len(target.shape) == 2 else target.shape[1:]
    if tuple(inside) == tuple(wanted) and up[0] == target.shape[0]:
        return ""
    its = f"{math.prod(down[1:])} to {up[0]}"
    return f"{target.name} goes from {its} numbers there, here from {_inputs(target)}"


def _inputs(target: LoraTarget) -> str:
    return f"{math.prod(target.shape[1:])} to {target.shape[0]}"


def _has_several(file: LoraFile, layers: Mapping[LoraTarget, str]) -> bool:
    """Whether layers of one kind have different ranks, as in a file that was resized layer by layer
    or trained with ranks by block."""
    return any(len(_ranks_of(file, layers, wide=wide)) > 1 for wide in (False, True))


def _ranks_of(file: LoraFile, layers: Mapping[LoraTarget, str], *, wide: bool) -> set[int]:
    return {
        file.layers[name].rank(file.header.tensors)
        for target, name in layers.items()
        if target.is_convolution == wide
    }


def _ranks(
    config: RunConfig, file: LoraFile, layers: Mapping[LoraTarget, str]
) -> Iterator[Problem]:
    """What is wrong with the ranks: one that all layers have in the file has to be the run's."""
    network = config.network
    several = _has_several(file, layers)
    if several:
        every = {rank for wide in (False, True) for rank in _ranks_of(file, layers, wide=wide)}
        yield Problem(
            f"has layers of ranks {min(every)} to {max(every)}: each keeps its rank and alpha; "
            "network.rank and network.alpha are those of layers that it has nothing for",
            _KEY,
            severity="note",
        )
    for key, configured, wide in (
        ("network.rank", network.rank, False),
        ("network.conv_rank", network.conv_rank, True),
    ):
        ranks = _ranks_of(file, layers, wide=wide)
        if wide and configured is None and any(target.beside for target in layers):
            # Layers beside the convolutions come with them, at the ordinary rank.
            rank = min(ranks) if ranks else network.rank
            count = sum(target.beside for target in layers)
            words = f"trains convolutions too ({count} layers), and {key} is absent"
            yield _error(words, f"Set {key} = {rank}.", {key: rank})
        elif ranks and not several and configured not in ranks:
            (rank,) = ranks
            of = "convolutions of rank" if wide else "rank"
            words = f"has {of} {rank}, and {key} is {configured}"
            yield _error(words, f"Set {key} = {rank}.", {key: rank})


def _absent(
    config: RunConfig,
    trained: set[str],
    targets: Sequence[LoraTarget],
    kept: Mapping[LoraTarget, str],
    found: Mapping[LoraTarget, list[str]],
) -> Iterator[Problem]:
    wanted = [
        target
        for target in targets
        if target.folder in trained and (not target.beside or config.network.conv_rank)
    ]
    for folder in sorted(trained):
        of_folder = [target for target in wanted if target.folder == folder]
        missing = [target for target in of_folder if target not in kept]
        if missing:
            part = _part_words(folder)
            words = f"has nothing for {len(missing)} of {len(of_folder)} layers of the {part}"
            yield Problem(
                f"{words}: these begin anew",
                _KEY,
                remedy="That is right if it was trained without them.",
                severity="warning",
            )
    if not kept and found:
        yield _error("has nothing for the part that is trained", "Train the part that it is for.")


def _left_over(
    file: LoraFile, found: Mapping[LoraTarget, list[str]], trained: set[str]
) -> Iterator[Problem]:
    untrained = Counter(target.folder for target in found if target.folder not in trained)
    for folder, count in sorted(untrained.items()):
        part = _part_words(folder)
        rate = "text_encoder" if folder.startswith("text") else "unet"
        yield Problem(
            f"has {count} layers of the {part}, which is not trained: they are left out, and the "
            "pictures begin different from the file's",
            _KEY,
            remedy=f"To keep them, train the {part}: optimizer.{rate}_learning_rate.",
            severity="warning",
        )
    known = {name for names in found.values() for name in names}
    unknown = [*(name for name in file.layers if name not in known), *file.unknown]
    if unknown:
        yield Problem(
            f"has {len(unknown)} entries that mean nothing for this base, such as "
            f"{unknown[0][:80]}: they are left out",
            _KEY,
            remedy="Is it a LoRA for this base?",
            severity="warning",
        )


def _part_words(folder: str) -> str:
    return "text encoder" if folder.startswith("text") else "U-Net"


def _error(message: str, remedy: str, mend: Mapping[str, int] | None = None) -> Problem:
    mends = (Mend(remedy.rstrip("."), dict(mend)),) if mend else ()
    return Problem(message, _KEY, remedy=remedy, mends=mends)
