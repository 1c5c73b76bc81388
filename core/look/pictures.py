"""Which pictures and masks are looked at, and the resolution that they are meant for."""

from __future__ import annotations

from dataclasses import dataclass

from ..config import DatasetOptions
from ..config.sections.loss import MaskSource
from ..dataset.buckets import BucketError, BucketRule
from ..dataset.build import raise_errors
from ..dataset.folders import FileEntry
from ..dataset.images import BadPicture, Picture, Progress, scan_pictures
from ..dataset.layout import ConceptFolder, Layout
from ..dataset.masks import masked_name, masks_of
from ..errors import Problem, ProblemsError
from ..families.base import FamilySpec


@dataclass(frozen=True)
class PictureSet:
    """What lies in a dataset's folders, by the headers of its files."""

    pictures: tuple[Picture, ...]
    bad: tuple[BadPicture, ...]
    masks: tuple[tuple[Picture, Picture], ...]
    """Pictures with the mask files beside them."""
    with_alpha: tuple[Picture, ...]
    """Whose alpha channel is their mask."""
    orphans: tuple[Picture, ...]
    """Named like masks, without a picture."""
    rule: BucketRule
    problems: tuple[Problem, ...] = ()
    """What there is to say about the folders, such as those in them that are not looked at."""


def pictures_of(
    options: DatasetOptions,
    spec: FamilySpec,
    progress: Progress | None = None,
    *,
    mask: MaskSource = "file",
) -> PictureSet:
    """The pictures of a dataset, but for those it leaves out; class pictures too. Mask files belong
    to it whatever ``mask`` is. Raises ProblemsError when folders are not there or have nothing in
    them, or no bucket fits."""
    layout = Layout(options, ())
    raise_errors(layout.problems)
    try:
        rule = BucketRule.of(options, spec)
    except BucketError as error:
        raise ProblemsError("The resolution cannot be used", [error.problem]) from error
    pictures: list[Picture] = []
    bad: list[BadPicture] = []
    masks: list[tuple[Picture, Picture]] = []
    orphans: list[Picture] = []
    for concept in layout.concepts:
        found, broken = scan_pictures(concept.folder, _files(concept), progress)
        bad += broken
        beside = {file.name for file in concept.masks}
        files = [item for item in found if item.path.name in beside]
        alone = [item for item in found if _is_orphan(item, beside)]
        passed = {item.path for item in (*files, *alone)}
        others = [item for item in found if item.path not in passed]
        pictures += others
        orphans += alone
        by_path = masks_of("file", others, files)
        masks += [(item, by_path[item.path]) for item in others if item.path in by_path]
    if not pictures and not bad:
        problem = Problem("No pictures are given.", "dataset.folder", remedy="Name their folder.")
        raise ProblemsError("There is nothing to look at", [problem])
    alpha = tuple(item for item in pictures if item.has_alpha) if mask == "alpha" else ()
    return PictureSet(
        tuple(pictures),
        tuple(bad),
        tuple(masks),
        alpha,
        tuple(orphans),
        rule,
        tuple(layout.problems),
    )


def _files(concept: ConceptFolder) -> list[FileEntry]:
    # Together: the index forgets what is not named to it.
    return sorted([*concept.pictures, *concept.masks], key=lambda file: file.name)


def _is_orphan(picture: Picture, beside: set[str]) -> bool:
    return bool(masked_name(picture.path.name)) and picture.path.name not in beside
