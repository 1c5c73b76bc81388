"""From a configuration and its folders to the plan: every picture with bucket, crop and caption."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ..config import RunConfig
from ..config.sections.dataset import FILEWORDS
from ..config.sections.loss import MaskSource
from ..errors import Mend, Problem, ProblemsError
from ..families.base import FamilySpec
from .buckets import BucketError, BucketRule
from .caption_sources import CaptionSources, some
from .captions import Caption
from .images import BadPicture, Picture, Progress, scan_pictures, verify_pictures
from .layout import ConceptFolder, Layout
from .layout_words import unread_pictures
from .masks import masked_name, masks_of, review_masks, summary
from .plan import Bucket, ConceptSummary, Crop, DatasetPlan, Sample
from .review import review


def build_plan(
    config: RunConfig, spec: FamilySpec, *, progress: Progress | None = None
) -> DatasetPlan:
    """Everything the training will see, from the headers of the pictures and their captions.

    Paths of ``config`` are absolute. Raises ProblemsError with every error at once: folders that
    are not there, pictures that cannot be read, two pictures that share a caption. What is only
    worth knowing is in the plan's ``problems``. The order is that of the file names' code points,
    whatever the machine's language.
    """
    layout = Layout(config.dataset, config.captions.trigger_words)
    problems = list(layout.problems)
    rule: BucketRule | None = None
    try:
        rule = BucketRule.of(config.dataset, spec)
    except BucketError as error:
        problems.append(error.problem)
    samples: list[Sample] = []
    summaries: list[ConceptSummary] = []
    bad: list[BadPicture] = []
    labels = _labels(layout.concepts)
    above = Path(config.dataset.folder) if config.dataset.folder else None
    sources = CaptionSources(config.captions, above)
    for concept, label in zip(layout.concepts, labels, strict=True):
        reader = _ConceptReader(concept, label, config.loss.mask, progress)
        pictures = reader.pictures()
        captions = reader.captions(pictures, sources)
        problems += reader.problems
        bad += reader.bad
        summaries.append(_summary(concept, len(pictures), len(captions)))
        if rule:
            samples += [
                reader.sample(picture, captions.get(picture.name), rule) for picture in pictures
            ]
    problems = _remedies_once(problems) + sources.finish()
    raise_errors([*problems, *_told(bad, config.dataset.exclude)])
    if not any(not sample.is_regularization for sample in samples):
        raise ProblemsError(
            "There is nothing to train on",
            [Problem("No pictures are given.", "dataset.folder", remedy="Name their folder.")],
        )
    if rule:
        problems += review(samples, config, rule)
    problems += summary(config.loss.mask, samples)
    return DatasetPlan(tuple(samples), _with_shares(summaries), tuple(problems))


def verify_plan(
    plan: DatasetPlan, *, exclude: Sequence[str] = (), progress: Progress | None = None
) -> None:
    """Decode every picture and mask of the plan (each once, remembered); ProblemsError names every
    bad one, and masks of which nothing counts.

    Training begins only after this. ``exclude`` is the configuration's, to be added to.
    """
    masks = [(sample, sample.mask) for sample in plan.samples if sample.mask]
    roles = {mask.path: mask.path == sample.path for sample, mask in masks}
    files = [mask for mask in dict.fromkeys(mask for _, mask in masks) if not roles[mask.path]]
    bad = verify_pictures([*plan.samples, *files], masks=roles, progress=progress)
    raise_errors(_told(bad, exclude))


def raise_errors(problems: Iterable[Problem]) -> None:
    """ProblemsError with the errors among ``problems``, if there are any."""
    errors = [problem for problem in problems if problem.severity == "error"]
    if errors:
        raise ProblemsError("The pictures cannot be trained like this", errors)


@dataclass
class _ConceptReader:
    """Reads one concept's folder and collects what there is to say."""

    concept: ConceptFolder
    label: str
    mask: MaskSource
    progress: Progress | None
    problems: list[Problem] = field(default_factory=list)
    bad: list[BadPicture] = field(default_factory=list)
    assigned: dict[tuple[int, int], tuple[Bucket, Crop]] = field(default_factory=dict)
    """By the picture's size: most pictures share theirs with others."""
    masks: dict[Path, Picture] = field(default_factory=dict)
    """By the picture's path."""

    def pictures(self) -> list[Picture]:
        good = self._scanned()
        stems = {_stem(file.name) for file in self.concept.pictures}
        if len(stems) < len(self.concept.pictures):
            self._tell_shared()
        self._tell_kinds(good)
        self._tell_unread(stems)
        return good

    def _scanned(self) -> list[Picture]:
        """The pictures; the masks are kept by them."""
        concept, is_file = self.concept, self.mask == "file"
        names = {file.name for file in concept.masks}
        if is_file:
            names |= {file.name for file in concept.pictures if masked_name(file.name)}
        wanted = sorted(
            [*concept.pictures, *(concept.masks if is_file else ())], key=lambda file: file.name
        )
        # Together: the index forgets what is not named to it.
        good, bad = scan_pictures(concept.folder, wanted, self.progress)
        self.bad += bad
        pictures = [item for item in good if item.name not in names]
        files = [item for item in good if item.name in names]
        self.masks = masks_of(self.mask, pictures, files)
        self.problems += review_masks(self.mask, names, pictures, self.masks)
        return pictures

    def captions(self, pictures: Sequence[Picture], sources: CaptionSources) -> dict[str, Caption]:
        found = sources.captions(self.concept, pictures)
        self._tell_missing([picture for picture in pictures if picture.name not in found])
        return found

    def sample(self, picture: Picture, caption: Caption | None, rule: BucketRule) -> Sample:
        size = (picture.width, picture.height)
        if size not in self.assigned:
            self.assigned[size] = rule.assign(*size)
        bucket, crop = self.assigned[size]
        return Sample(
            id=f"{self.label}/{picture.name}",
            folder=picture.folder,
            name=picture.name,
            width=picture.width,
            height=picture.height,
            file_size=picture.file_size,
            modified_ns=picture.modified_ns,
            concept=self.concept.name,
            trigger_words=self.concept.trigger_words,
            repeats=self.concept.repeats,
            is_regularization=self.concept.is_regularization,
            bucket=bucket,
            crop=crop,
            caption=self.concept.name if caption is None else caption.text,
            caption_file=None if caption is None else caption.file,
            mask=self.masks.get(picture.path) if self.masks else None,
            prompt=self.concept.prompt,
        )

    def _tell_shared(self) -> None:
        by_stem: dict[str, list[str]] = {}
        for file in self.concept.pictures:
            by_stem.setdefault(_stem(file.name), []).append(file.name)
        for stem, same in by_stem.items():
            if len(same) > 1:
                message = f"{' and '.join(same)} would share the caption {stem}.txt."
                remedy = "Rename all but one, or leave them out with dataset.exclude."
                self._say(message, remedy, "error")

    def _tell_kinds(self, pictures: Sequence[Picture]) -> None:
        animated = [item.name for item in pictures if item.frames > 1]
        if animated:
            message = f"Animated, so only the first frame is trained: {some(animated)}."
            self._say(message, severity="note")
        transparent = [item.name for item in pictures if item.has_alpha]
        if transparent and self.mask != "alpha":
            message = f"Transparent parts become white: {some(transparent)}."
            self._say(message, severity="note")

    def _tell_unread(self, pictures: Collection[str]) -> None:
        # A camera's raw picture has its JPEG beside it.
        unread = [
            name for name in unread_pictures(self.concept.listing) if _stem(name) not in pictures
        ]
        if unread:
            count = "1 file is" if len(unread) == 1 else f"{len(unread)} files are"
            message = f"{count} of a kind that is not read, and left out: {some(unread)}."
            self._say(message, "To train them too, save them as JPEG or PNG.")

    def _tell_missing(self, without: list[Picture]) -> None:
        if not without or (self.concept.prompt and FILEWORDS not in self.concept.prompt):
            return
        count, which = len(self.concept.pictures), ""
        if len(without) < count:
            which = f": {some([picture.name for picture in without])}"
        self._say(
            f"{len(without)} of {_counted(count)} have no caption and are trained as "
            f"{self.concept.name!r}{which}.",
            "Write what can be seen into a .txt beside each: the wizard's step Captions does that.",
            "note" if self.concept.is_regularization else "warning",
        )

    def _say(self, message: str, remedy: str = "", severity: str = "warning") -> None:
        where = "dataset.regularization_folder" if self.concept.is_regularization else "dataset"
        self.problems.append(Problem(message, where, remedy=remedy, severity=severity))


def _remedies_once(problems: Sequence[Problem]) -> list[Problem]:
    """Of folders that lack the same, the first says what to do."""
    said: set[str] = set()
    found: list[Problem] = []
    for problem in problems:
        again = problem.severity != "error" and problem.remedy in said and not problem.mends
        found.append(replace(problem, remedy="") if again else problem)
        said.add(problem.remedy)
    return found


def _told(bad: Sequence[BadPicture], exclude: Sequence[str]) -> list[Problem]:
    """One problem each; the last one's remedy is for all, as a line that can be copied."""
    if not bad:
        return []
    patterns = [*exclude, *(f"{item.path.parent.name}/{item.path.name}" for item in bad)]
    line = f"dataset.exclude = {json.dumps(patterns, ensure_ascii=False)}"
    what = "it, or leave it" if len(bad) == 1 else f"these {len(bad)}, or leave them"
    problems = [Problem(f"{item.reason}.", str(item.path)) for item in bad]
    mend = Mend(f"Leave out {_counted_bad(bad)}", {"dataset.exclude": patterns})
    remedy = f"Mend or remove {what} out:\n{line}"
    return [*problems[:-1], replace(problems[-1], remedy=remedy, mends=(mend,))]


def _counted(pictures: int) -> str:
    return f"{pictures} picture{'' if pictures == 1 else 's'}"


def _counted_bad(bad: Sequence[BadPicture]) -> str:
    return bad[0].path.name if len(bad) == 1 else f"these {len(bad)} broken pictures"


def _stem(name: str) -> str:
    return name.rpartition(".")[0]


def _labels(concepts: Sequence[ConceptFolder]) -> list[str]:
    """What the samples' ids begin with: the concept's name, told apart where it comes twice."""
    labels: dict[str, None] = {}
    for concept in concepts:
        name = f"regularization:{concept.name}" if concept.is_regularization else concept.name
        label, number = name, 1
        while label in labels:
            number += 1
            label = f"{name}#{number}"
        labels[label] = None
    return list(labels)


def _summary(concept: ConceptFolder, images: int, captions: int) -> ConceptSummary:
    return ConceptSummary(
        concept.name,
        concept.folder,
        images,
        captions,
        concept.repeats,
        concept.is_regularization,
        0.0,
    )


def _with_shares(summaries: Sequence[ConceptSummary]) -> tuple[ConceptSummary, ...]:
    uses = [0 if item.is_regularization else item.images * item.repeats for item in summaries]
    total = sum(uses) or 1
    return tuple(
        replace(item, share=count / total) for item, count in zip(summaries, uses, strict=True)
    )
