"""The captions of a set as edits take them, as a configuration names them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..config import RunConfig
from ..dataset.build import raise_errors
from ..dataset.caption_files import CaptionFiles
from ..dataset.caption_sources import CaptionSources
from ..dataset.captions import EXTENSIONS, Caption
from ..dataset.layout import ConceptFolder, Layout
from ..errors import Problem, WizardError
from .parts import Grammar


@dataclass(frozen=True)
class Entry:
    """A picture and its words."""

    path: Path
    caption: str
    """As training reads it; empty for a picture without one."""
    concept: str = ""
    trigger_words: tuple[str, ...] = ()
    prompt: str = ""
    """The concept's, around the caption."""
    table: Path | None = None
    """The file of many captions that this one stands in. It is never written: an edit makes a
    caption file beside the picture, which comes before it."""

    @property
    def name(self) -> str:
        """Of the picture's file."""
        return self.path.name

    def saying(self, text: str) -> Entry:
        """The same picture with other words."""
        return replace(self, caption=text)


@dataclass(frozen=True)
class CaptionSet:
    """The captions of a dataset."""

    entries: tuple[Entry, ...]
    grammar: Grammar
    root: Path
    """Which names the journal of what was written; see `CaptionFiles`."""
    problems: tuple[Problem, ...] = ()

    @property
    def files(self) -> CaptionFiles:
        """What writes them, and takes it back."""
        return CaptionFiles(self.root, lines=self.grammar.has_choices)

    @property
    def concepts(self) -> list[str]:
        """Their names, as they come."""
        return list(dict.fromkeys(entry.concept for entry in self.entries))

    @property
    def trigger_words(self) -> tuple[str, ...]:
        """Of all concepts."""
        return tuple(dict.fromkeys(word for entry in self.entries for word in entry.trigger_words))

    def of_concept(self, name: str) -> CaptionSet:
        """Those of one concept. Raises WizardError when there is none of that name."""
        found = tuple(entry for entry in self.entries if entry.concept == name)
        if not found:
            there = ", ".join(self.concepts)
            raise WizardError("There is no such concept", name, f"There are: {there}.")
        return replace(self, entries=found)

    def with_trigger_words(self, words: Sequence[str]) -> CaptionSet:
        """The same with ``words`` as the trigger words of all."""
        entries = (replace(entry, trigger_words=tuple(words)) for entry in self.entries)
        return replace(self, entries=tuple(entries))


def read(config: RunConfig, *, regularization: bool = False) -> CaptionSet:
    """The captions that training would read, from the files' names and the captions alone; no
    picture is opened. Those of regularization pictures only if asked for.

    Raises ProblemsError when there are no pictures, or captions that cannot be read.
    """
    layout = Layout(config.dataset, config.captions.trigger_words)
    sources = CaptionSources(
        config.captions, Path(folder) if (folder := config.dataset.folder) else None
    )
    entries: list[Entry] = []
    for concept in layout.concepts:
        if concept.is_regularization and not regularization:
            continue
        captions = sources.captions(concept, concept.pictures)
        entries += (
            _entry(concept, file.path, captions.get(file.name)) for file in concept.pictures
        )
    problems = [*layout.problems, *sources.finish()]
    raise_errors(problems)
    if not entries:
        raise WizardError("There are no pictures", folder, "Name the folder that they are in.")
    root = Path(folder) if folder else entries[0].path.parent
    # What is wrong with the pictures themselves is told where they are opened.
    noticed = (*layout.problems, *sources.problems)
    told = tuple(item for item in noticed if item.severity == "warning")
    return CaptionSet(tuple(entries), Grammar.of(config.captions), root, told)


def _entry(concept: ConceptFolder, path: Path, caption: Caption | None) -> Entry:
    text, table = (caption.text, _table(caption.path)) if caption else ("", None)
    return Entry(path, text, concept.name, concept.trigger_words, concept.prompt, table)


def _table(path: Path | None) -> Path | None:
    return path if path and path.suffix not in EXTENSIONS else None
