"""The captions of a draft's pictures, one by one: what they are, what training makes of them, and
what is written."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ...captioners.base import Captioned
from ...captioners.job import writing
from ...core.config import RunConfig
from ...core.dataset.caption_files import (
    CaptionFiles,
    Change,
    Mode,
    Outcome,
    caption_file,
    current_caption,
)
from ...core.dataset.captions import EXTENSIONS, final_caption, with_trigger_words
from ...core.dataset.plan import DatasetPlan, Draw, Sample
from ...core.dataset.wildcards import lines_of
from ...core.errors import WizardError
from .dataset import path_of
from .draft import Draft

UNSAVED = "caption"
"""The fact of a draft that holds a caption that is being typed."""
_MOST_LOOKED_AT = 50


@dataclass
class CaptionList:
    """The pictures of a plan, with what has been written since. A filter leaves some of them."""

    samples: Sequence[Sample] = ()
    config: RunConfig | None = None
    _texts: dict[Path, str] = field(default_factory=dict)
    _filter: str = ""
    _shown: list[int] = field(default_factory=list)

    def take(self, plan: DatasetPlan, config: RunConfig) -> None:
        """Show another plan."""
        self.samples, self.config = plan.samples, config
        self.filter(self._filter)

    def filter(self, text: str) -> None:
        """Show only pictures with ``text`` in their name or caption."""
        self._filter = text
        wanted = text.strip().casefold()
        self._shown = [
            place
            for place, sample in enumerate(self.samples)
            if not wanted
            or wanted in sample.path.name.casefold()
            or wanted in self.text(sample).casefold()
        ]

    def __len__(self) -> int:
        """How many are shown."""
        return len(self._shown)

    def sample(self, place: int) -> Sample:
        """The picture at a place among those shown."""
        return self.samples[self._shown[place]]

    def place_of(self, picture: Path) -> int | None:
        """Where ``picture`` is among those shown."""
        return next(
            (place for place in range(len(self)) if self.sample(place).path == picture), None
        )

    def text(self, sample: Sample) -> str:
        """The caption of a picture as far as it is known; "" without one."""
        known = sample.caption if sample.caption_path else ""
        return self._texts.get(sample.path, known)

    def remember(self, texts: Iterable[tuple[Path, str]]) -> None:
        """These captions stand in their files now."""
        self._texts.update(texts)

    def forget(self) -> None:
        """The files say it now, as the next plan has it."""
        self._texts.clear()

    def next_without(self, place: int) -> int | None:
        """The next place after ``place``, and from the beginning again, without a caption."""
        count = len(self)
        turn = ((place + step) % count for step in range(1, count + 1)) if count else ()
        return next((found for found in turn if not self.text(self.sample(found))), None)

    def without(self) -> int:
        """How many of all pictures have no caption."""
        return sum(not self.text(sample) for sample in self.samples)

    def trained(self, sample: Sample, text: str) -> str:
        """What the text encoder gets for ``sample`` in the first use that is not dropped, if its
        caption is ``text``."""
        assert self.config is not None
        caption = self.as_written(text) or ("" if _has_file(sample) else sample.concept)
        sample = replace(sample, caption=caption)
        draws = (Draw(sample, epoch, 0) for epoch in range(1, _MOST_LOOKED_AT))
        texts = (final_caption(draw, self.config) for draw in draws)
        return next((found for found in texts if found), "")

    @property
    def has_lines(self) -> bool:
        """Whether the lines of a caption are alternatives, and stay lines."""
        return self.config is not None and self.config.captions.wildcards

    def as_written(self, typed: str) -> str:
        """What was typed as it comes into a file."""
        return ("\n" if self.has_lines else " ").join(lines_of(typed))

    def read(self, sample: Sample) -> str:
        """The caption as it stands now in its file, or in the table of many that has it; "" without
        one. Raises CaptionError."""
        table = sample.caption_path
        if table is not None and table.suffix not in EXTENSIONS and not _has_file(sample):
            return sample.caption
        return current_caption(sample.path, lines=self.has_lines)

    def with_trigger_words(self) -> dict[Path, str]:
        """The captions of the training pictures that do not begin with the trigger words, with
        them in front."""
        assert self.config is not None
        found: dict[Path, str] = {}
        for sample in self.samples:
            text = self.text(sample)
            options = self.config.captions
            new = "\n".join(
                with_trigger_words(line, sample.trigger_words, line, options)
                for line in text.split("\n")
            )
            if not sample.is_regularization and new != text:
                found[sample.path] = new
        return found

    def summary(self) -> str:
        """How many have captions, and what becomes of those that have none."""
        total, without = len(self.samples), self.without()
        if not without:
            return f"All {total} pictures have a caption."
        concepts = list(dict.fromkeys(sample.concept for sample in self.samples))
        name = f', "{concepts[0]}"' if len(concepts) == 1 else ""
        count = "None" if without == total else f"{total - without} of {total} pictures"
        verb = "has" if without == total or total - without == 1 else "have"
        words = any(item.trigger_words for item in self.samples)
        after = (", after the trigger words" if name else " after the trigger words") * words
        return (
            f"{count} {verb} a caption. Without one, a picture is trained with the name of its "
            f"concept{name}{after}."
        )


@dataclass(frozen=True)
class Proposal:
    """What a bulk change would write."""

    title: str
    captions: dict[Path, str]
    left: dict[Path, str]
    """Pictures it has nothing for, with the reasons."""
    mode: Mode


def gather(
    title: str, found: Iterable[Captioned], mode: Mode, look: Callable[[int], None]
) -> Proposal:
    """What a captioner has found, as a proposal; ``look`` is told how many are done."""
    captions: dict[Path, str] = {}
    left: dict[Path, str] = {}
    for done, item in enumerate(found, start=1):
        if item.text:
            captions[item.picture] = item.text
        else:
            left[item.picture] = item.reason
        if done % 64 == 0:
            look(done)
    return Proposal(title, captions, left, mode)


def files_of(draft: Draft, samples: Sequence[Sample]) -> CaptionFiles:
    """Where the captions of a draft are written."""
    root = path_of(draft, str(draft.value("dataset.folder") or ""))
    return CaptionFiles(
        root or (samples[0].path.parent if samples else draft.folder),
        lines=draft.value("captions.wildcards") is True,
    )


def last_changes(files: CaptionFiles) -> list[Change]:
    """What undo takes back: the last change, or all of a captioning, which writes in portions.
    Empty when there is nothing to undo."""
    changes = files.changes()
    of_captioning = writing.latest(files)
    if changes and of_captioning and changes[0].title == of_captioning[0].title:
        return of_captioning
    return changes[:1]


def keep_unsaved(draft: Draft, picture: Path, text: str) -> None:
    """Keep a caption that is being typed, in case the connection is cut."""
    draft.note(UNSAVED, json.dumps([str(picture), text]))


def unsaved(draft: Draft) -> tuple[Path, str] | None:
    """What was being typed when the connection was cut."""
    try:
        picture, text = json.loads(draft.fact(UNSAVED))
        return Path(picture), str(text)
    except (ValueError, TypeError):
        return None


def save(files: CaptionFiles, picture: Path, text: str, was: str) -> Outcome:
    """Write one caption, which ``was`` another, in its file or in a table of many: an empty file
    comes before the table, too. Raises WizardError when it cannot be."""
    title = f"the caption of {picture.name}"
    outcome = files.write({picture: text}, title, with_empty=bool(was))
    if outcome.left:
        reason = outcome.left[picture]
        raise WizardError(
            "The caption is not saved", f"{caption_file(picture)} {reason}.", "Look at the file."
        )
    return outcome


def _has_file(sample: Sample) -> bool:
    return caption_file(sample.path).is_file()
