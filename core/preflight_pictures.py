"""What looking at the pictures has shown: copies, blur, light, bars, and masks that say nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from .config import RunConfig
from .dataset.caption_sources import some
from .dataset.images import Progress
from .dataset.layout_words import counted
from .dataset.plan import DatasetPlan, Sample
from .errors import Problem, WizardError
from .look.finding import Exhibit, Finding
from .look.leaving_out import mend_of
from .look.place import measures_path

# numpy comes along only where pictures have been looked at.
if TYPE_CHECKING:
    from .look.examine import Measured
    from .look.measure import Extrema, Measures

_WARNINGS = ("near-duplicate", "blurred")
_WAYS = "F2 in the step Dataset shows them, and so does `lora-wizard look`."
_last: tuple[object, list[Problem]] = (None, [])
"""Of the assessment before this one: at most keys nothing about the pictures changes."""


def picture_problems(
    plan: DatasetPlan,
    config: RunConfig,
    *,
    look: bool = False,
    decoded: bool = False,
    progress: Progress | None = None,
) -> list[Problem]:
    """Warnings and notes, one for each kind, about the training pictures of which measures are
    remembered. With ``look`` the others are decoded, measured and remembered, too; where all were
    ``decoded``, empty masks have been said."""
    global _last
    samples = plan.training_samples
    try:
        if look:
            known = _measured(samples, look=True, progress=progress)
            return _problems(samples, config, known, decoded)
        if not (kept := _kept(samples)):
            return []
    except WizardError:
        # Without a place for what is remembered, which is said elsewhere.
        return []
    pictures = [(item.id, item.file_size, item.modified_ns, item.mask) for item in samples]
    key = (pictures, kept, config.dataset.exclude, decoded)
    if key != _last[0]:
        _last = key, _problems(samples, config, _measured(samples), decoded)
    return _last[1]


def _kept(samples: Sequence[Sample]) -> list[tuple[Path, int]]:
    """The files of measures that are there, and when they were written."""
    found: list[tuple[Path, int]] = []
    for path in sorted({measures_path(folder) for folder in {item.folder for item in samples}}):
        with suppress(OSError):
            found.append((path, path.stat().st_mtime_ns))
    return found


def _measured(
    samples: Sequence[Sample], *, look: bool = False, progress: Progress | None = None
) -> Measured:
    from .look.examine import measured, remembered

    files = [item.mask for item in samples if item.mask and item.mask.path != item.path]
    items, masks = [*samples, *files], {file.path for file in files}
    return measured(items, masks, progress=progress) if look else remembered(items, masks)


def _problems(
    samples: Sequence[Sample], config: RunConfig, known: Measured, decoded: bool
) -> list[Problem]:
    from .look.findings import about_bars, about_blur, about_light

    by_path = known.measures
    pairs = [(item, by_path[item.path]) for item in samples if item.path in by_path]
    findings = [
        *_about_copies(pairs),
        *about_blur(pairs),
        *about_light(pairs),
        *about_bars(pairs),
    ]
    exclude = config.dataset.exclude
    problems = [_problem(finding, exclude) for finding in findings]
    if problems:
        remedy = f"{problems[0].remedy} {_WAYS}"
        problems[0] = replace(problems[0], remedy=remedy)
    about_masks = _about_masks(samples, by_path, known.extrema)
    return [*problems, *(item for item in about_masks if not decoded or item.severity == "note")]


def _problem(finding: Finding, exclude: Sequence[str]) -> Problem:
    shown = finding.spare or [item.path for item in finding.pictures]
    mend = mend_of(finding, exclude)
    return Problem(
        f"{finding.words.rstrip('.')}: {some([path.name for path in shown], 3)}.",
        "dataset",
        remedy=finding.remedy,
        severity="warning" if finding.kind in _WARNINGS else "note",
        mends=(mend,) if mend else (),
    )


def _about_copies(pairs: Sequence[tuple[Sample, Measures]]) -> Iterator[Finding]:
    """By their patterns alone: to tell the same file from a similar one, both would be read."""
    from .look.pattern import alike

    order = sorted(
        pairs, key=lambda pair: (-pair[0].width * pair[0].height, -pair[0].file_size, pair[0].id)
    )
    groups = [others for _, others, _ in alike([each.pattern for _, each in order])]
    spare = [order[at][0].path for others in groups for at in others]
    if spare:
        are = "1 picture is" if len(spare) == 1 else f"{len(spare)} pictures are"
        yield Finding(
            "near-duplicate",
            tuple(Exhibit(path, 0, "") for path in spare),
            f"{are} the same as {'another' if len(spare) == 1 else 'others'}, or nearly.",
            "What they share is learned by heart: keep the best one of each.",
            tuple(sorted(spare)),
        )


def _about_masks(
    samples: Sequence[Sample], measures: Mapping[Path, Measures], extrema: Mapping[Path, Extrema]
) -> Iterator[Problem]:
    """Masks that leave nothing of their picture, or all of it."""
    nothing: list[str] = []
    everything: list[str] = []
    for item in samples:
        if item.mask is None:
            continue
        known = measures.get(item.path)
        is_alpha = item.mask.path == item.path
        ends = (known and known.alpha) if is_alpha else extrema.get(item.mask.path)
        if ends and ends[1] == 0:
            nothing.append(item.name)
        elif ends and ends[0] == 255:
            everything.append(item.name)
    if nothing:
        yield Problem(
            f"By its mask, nothing of {counted(len(nothing), 'picture')} counts: "
            f"{some(nothing, 3)}.",
            "loss.mask",
            remedy="Mend the mask, or leave the picture out.",
            severity="warning",
        )
    if everything:
        yield Problem(
            f"By its mask, all of {counted(len(everything), 'picture')} counts: "
            f"{some(everything, 3)}.",
            "loss.mask",
            remedy="Where that is meant, no mask is needed.",
            severity="note",
        )
