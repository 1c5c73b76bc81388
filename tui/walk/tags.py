"""What is decided about a set's tags before any of it is written: marked in the table, taken back
step by step, kept when the connection is cut."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from ...core.config import RunConfig
from ...core.errors import WizardError
from ...core.tags import entries
from ...core.tags.changes import Pending, pending
from ...core.tags.edits import Edit, Remove, Replace
from ...core.tags.entries import CaptionSet
from ...core.tags.kinds import KINDS, kind
from ...core.tags.parts import key_of
from ...core.tags.table import Order, Tag, TagTable, table_of
from .draft import Draft

DECIDED = "tags"
"""The fact of a draft that holds what is decided and not yet written."""
ORDERS: tuple[Order, ...] = ("count", "name", "place")


class State(NamedTuple):
    """What becomes of a tag, with a sign and in words."""

    sign: str
    words: str


class Step(NamedTuple):
    """One decision: about tags, by key, or about all captions."""

    what: Literal["prune", "keep", "replace", "clear", "all"]
    keys: tuple[str, ...]
    """Of ``all``: the kind's name and what it was told."""
    new: str = ""


@dataclass
class Words:
    """A set's tags, and what is decided about them."""

    captions: CaptionSet
    table: TagTable
    concept: str = ""
    """The concept whose tags they are; empty for all."""
    concepts: tuple[str, ...] = ()
    """Of the whole set."""
    steps: list[Step] = field(default_factory=list)
    order: Order = "count"
    rows: list[Tag] = field(default_factory=list)
    """Those that are shown, in their order."""
    _filter: str = ""
    _sorted: list[Tag] = field(default_factory=list)
    _decided: dict[str, Step] = field(default_factory=dict)
    _for_all: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._replay()
        self._sorted = list(self.table.tags)
        self._show()

    def sort(self) -> Order:
        """Show the tags in the next order; returns which."""
        self.sort_by(ORDERS[(ORDERS.index(self.order) + 1) % len(ORDERS)])
        return self.order

    def sort_by(self, order: Order) -> None:
        """Show the tags in an order."""
        self.order = order
        self._sorted = self.table.ordered(order)
        self._show()

    def filter(self, text: str) -> None:
        """Show only tags with ``text`` in them, or in what becomes of them."""
        self._filter = text
        self._show()

    def state(self, tag: Tag) -> State:
        """What becomes of a tag."""
        step = self._decided.get(tag.key)
        if step is None:
            return self._undecided(tag)
        if step.what == "replace":
            return State("→", step.new)
        return State("✗", "pruned") if step.what == "prune" else State("●", "kept")

    def why(self, tag: Tag) -> str:
        """What is to say of a tag; empty when it is nothing."""
        if tag.is_trigger:
            return "trigger word: it calls the subject, and stays."
        said = tag.why or tag.remark
        return f"{said}." if said else f"in {tag.count} of {self.table.captions} captions."

    def toggle(self, tag: Tag) -> str:
        """Prune a tag, or, if it is pruned, not; returns what stands in the way."""
        if tag.is_trigger and not self.table.inferred:
            return f"{tag.name} calls the subject, and stays; Captions changes the trigger words."
        is_pruned = self.state(tag).words == "pruned" and tag.key in self._decided
        self._step(Step("clear" if is_pruned else "prune", (tag.key,)))
        return ""

    def keep(self, tag: Tag) -> None:
        """Keep a tag, whatever was decided or proposed."""
        self._step(Step("keep", (tag.key,)))

    def replace(self, tag: Tag, new: str) -> str:
        """Let a tag become another; returns what stands in the way."""
        new = " ".join(new.split())
        if not new or self.captions.grammar.separator.strip() in new:
            return "One tag takes the place of one; space prunes it."
        self._step(Step("clear" if new == tag.name else "replace", (tag.key,), new))
        return ""

    def take_proposals(self) -> int:
        """Prune all that is proposed and not decided; returns how many."""
        keys = tuple(self.undecided())
        if keys:
            self._step(Step("prune", keys))
        return len(keys)

    def for_all(self, name: str, told: str) -> str:
        """Ask for a kind of edit of `KINDS`, told which tags; returns what stands in the way."""
        words = [word.strip() for word in told.split(self.captions.grammar.separator)]
        words = [word for word in words if word]
        asked = kind(name)
        if asked.takes and not asked.may_be_bare and not words:
            return f"Say which tags, such as {asked.example}."
        if name == "trigger-words" and not (words or self.captions.trigger_words):
            return "There are no trigger words: name them, or set them at Captions."
        try:
            asked.make(words)
        except WizardError as error:
            return f"{error.title}. {error.remedy}"
        self._step(Step("all", (name, *words)))
        return ""

    def undecided(self) -> list[str]:
        """The tags, by key, that are proposed for pruning and not decided."""
        return [tag.key for tag in self.table.proposed if tag.key not in self._decided]

    def undo(self) -> bool:
        """Take the last decision back; False when there is none."""
        if not self.steps:
            return False
        self.steps.pop()
        self._replay()
        return True

    def edits(self) -> list[Edit]:
        """What is decided, in the order in which it is made: at the tags, then for all."""
        names = {tag.key: tag.name for tag in self.table.tags}
        decided = [step for step in self._decided.items() if step[0] in names]
        found: list[Edit] = [
            Replace((names[key],), step.new) for key, step in decided if step.what == "replace"
        ]
        pruned = tuple(names[key] for key, step in decided if step.what == "prune")
        found += [Remove(pruned)] if pruned else []
        found += [
            item.make(self._for_all[item.name]) for item in KINDS if item.name in self._for_all
        ]
        return found

    def summary(self) -> str:
        """What is decided and not yet written, in one line; empty when it is nothing."""
        whats = [step.what for step in self._decided.values()]
        found = [
            f"{count} {word}"
            for what, word in (("prune", "pruned"), ("replace", "replaced"))
            if (count := whats.count(what))
        ]
        found += [kind(name).title.lower() for name in self._for_all]
        return ", ".join(found)

    def save(self) -> str:
        """The decisions as text, for a draft; empty without any."""
        return json.dumps(self.steps) if self.steps else ""

    def load(self, text: str) -> None:
        """Take decisions that were kept; what is damaged is none."""
        try:
            found = [
                Step(what, tuple(map(str, keys)), str(new)) for what, keys, new in json.loads(text)
            ]
            self.steps = found
            self._replay()
            self.edits()
        except (ValueError, TypeError, KeyError, StopIteration, WizardError):
            self.steps = []
            self._replay()
        self._show()

    def pictures(self, tag: Tag) -> list[entries.Entry]:
        """Those that have a tag."""
        return [self.captions.entries[at] for at in tag.entries]

    def _undecided(self, tag: Tag) -> State:
        if tag.is_trigger:
            return State("◆", "trigger word")
        if tag.why:
            return State("?", "proposed")
        if tag.remark:
            return State("~", "varies")
        return State(" ", "")

    def _step(self, step: Step) -> None:
        self.steps.append(step)
        self._take(step)

    def _replay(self) -> None:
        self._decided.clear()
        self._for_all.clear()
        for step in self.steps:
            self._take(step)

    def _take(self, step: Step) -> None:
        if step.what == "all":
            self._for_all[step.keys[0]] = step.keys[1:]
            return
        for key in step.keys:
            if step.what == "clear":
                self._decided.pop(key, None)
            else:
                self._decided[key] = step

    def _show(self) -> None:
        wanted = key_of(self._filter)
        self.rows = [
            tag
            for tag in self._sorted
            if not wanted or wanted in tag.key or wanted in self.state(tag).words.casefold()
        ]


def read(config: RunConfig, draft: Draft, concept: str = "") -> Words:
    """The tags of a configuration's captions, or of one concept's, as they stand in their files
    now, with what is decided about them. Raises WizardError."""
    captions = entries.read(config)
    concepts = tuple(captions.concepts)
    if concept:
        captions = captions.of_concept(concept)
    words = Words(captions, table_of(captions), concept, concepts)
    if decided := draft.fact(_fact(concept)):
        words.load(decided)
    return words


def _fact(concept: str) -> str:
    return f"{DECIDED} {concept}" if concept else DECIDED


def after(words: Words) -> str:
    """The concept that comes after that of ``words``; empty for all."""
    names = ["", *words.concepts]
    return names[(names.index(words.concept) + 1) % len(names)]


def proposal(words: Words, config: RunConfig) -> Pending:
    """What would be written, from the captions as they stand in their files now: they may have
    been changed since they were shown. Raises WizardError."""
    captions = entries.read(config)
    if words.concept:
        captions = captions.of_concept(words.concept)
    return pending(captions, words.edits())


def remember(draft: Draft, words: Words) -> None:
    """Keep what is decided, in case the connection is cut."""
    draft.note(_fact(words.concept), words.save())
