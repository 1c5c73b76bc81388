"""The captions, one by one and all together."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ...captioners import names
from ...captioners.job import writing
from ...core.config.paths import EMBEDDED
from ...core.dataset.caption_files import CaptionFiles, Mode
from ...core.dataset.layout_words import counted
from ...core.errors import WizardError
from ...core.run.tasks import TaskDirectory
from ..walk import captioning
from ..walk.assessment import Assessment
from ..walk.captions import CaptionList, files_of, gather, last_changes, save
from ..walk.draft import Draft
from . import captioning as by_captioner
from .talk import CLEAR, KEEP, BackError, Talk

ENOUGH = "."
"""The answer that ends the walk through the pictures."""
_PREVIEWED = 5
_Way = Callable[[CaptionList, CaptionFiles], None]


class CaptionQuestions:
    """Asks what is to be done with the captions, until nothing is."""

    def __init__(self, talk: Talk, draft: Draft, assess: Callable[[], Assessment]) -> None:
        self._talk = talk
        self._draft = draft
        self._assess = assess

    def ask(self) -> None:
        """Offer to look at them, to write them, to take the last change back."""
        again = False
        while (listing := self._listing()) is not None:
            files = files_of(self._draft, listing.samples)
            self._talk.show()
            if again:
                self._talk.say(listing.summary())
            again = True
            ways = self._ways(listing, files)
            choices = [("go on", "leave them as they are now")]
            choices += [(word, means) for word, means, _ in ways]
            at = self._talk.choose("The captions:", choices)
            if at == 0:
                return
            try:
                ways[at - 1][2](listing, files)
            except WizardError as error:
                self._talk.show(str(error))

    def _ways(self, listing: CaptionList, files: CaptionFiles) -> list[tuple[str, str, _Way]]:
        """(word, what it does, how) of what can be done now."""
        if captioning.is_live(self._job):
            return [
                ("watch", "a captioner goes on: how far it is", self._watch),
                ("stop", "end the captioner; what it found is written", self._stop),
            ]
        ways: list[tuple[str, str, _Way]] = [
            ("look", "picture by picture, and change them", self._walk),
            ("captioner", "a model looks at the pictures and writes them", self._caption),
        ]
        if without := listing.without():
            have_none = counted(without, "picture")
            means = f"from the names of files and folders, for {have_none} without one"
            ways.append(("names", means, self._write_names))
        if lacking := len(listing.with_trigger_words()):
            means = f"put them in front where they are missing: {counted(lacking, 'caption')}"
            ways.append(("trigger words", means, self._write_words))
        if changes := last_changes(files):
            ways.append(("undo", f"take back {changes[0].title}", self._undo))
        return ways

    @property
    def _job(self) -> TaskDirectory | None:
        return captioning.directory(self._draft, self._assess())

    def _caption(self, listing: CaptionList, files: CaptionFiles) -> None:
        by_captioner.ask(self._talk, self._draft, self._assess())

    def _watch(self, listing: CaptionList, files: CaptionFiles) -> None:
        if job := self._job:
            by_captioner.watch(self._talk, job)

    def _stop(self, listing: CaptionList, files: CaptionFiles) -> None:
        if job := self._job:
            by_captioner.stop(self._talk, job)

    def _listing(self) -> CaptionList | None:
        """The captions as they are in their files; None where there are none to change."""
        if str(self._draft.value("dataset.folder")).startswith(EMBEDDED):
            return None
        known = self._assess()
        if known.plan is None or known.config is None or not known.plan.samples:
            return None
        listing = CaptionList()
        listing.take(known.plan, known.config)
        return listing

    def _walk(self, listing: CaptionList, files: CaptionFiles) -> None:
        talk, places = self._talk, list(range(len(listing)))
        if 0 < listing.without() < len(listing) and talk.agree("Only those without a caption?"):
            places = [place for place in places if not listing.text(listing.sample(place))]
        talk.say(
            f"{counted(len(places), 'picture')}. Enter keeps the caption and goes to the next "
            f"picture, {CLEAR} empties it, < goes back one, {ENOUGH} ends this."
        )
        at = 0
        while 0 <= at < len(places):
            try:
                if not self._one(listing, files, places[at], f"{at + 1} of {len(places)}"):
                    return
                at += 1
            except BackError:
                at -= 1

    def _one(self, listing: CaptionList, files: CaptionFiles, place: int, where: str) -> bool:
        """Ask for one caption; False when that is enough."""
        talk, sample = self._talk, listing.sample(place)
        now = listing.text(sample)
        talk.show()
        talk.show(f"Picture {where}: {sample.path}")
        talk.say(f"caption: {now or '(none)'}", "  ")
        if (trained := listing.trained(sample, now)) != now:
            talk.say(f"trained as: {trained or '(nothing)'}", "  ")
        answer = talk.ask("New caption [as it is]:")
        if answer == ENOUGH:
            return False
        if answer != KEEP:
            text = "" if answer == CLEAR else answer
            try:
                listing.remember(save(files, sample.path, text, now).written.items())
            except WizardError as error:
                talk.show(str(error))
                return True
            talk.say("Written." if text else "Emptied.", "  ")
        return True

    def _write_names(self, listing: CaptionList, files: CaptionFiles) -> None:
        spec = names.SPEC
        pictures = [item.path for item in listing.samples if not listing.text(item)]
        found = spec.create(spec.options()).caption(pictures)
        title = f"captions from {spec.title.lower()}"
        proposal = gather(title, found, "missing", lambda _: None)
        if proposal.left:
            self._talk.say(f"{len(proposal.left)} of them say nothing in their names.")
        self._write(files, title, proposal.captions, "missing")

    def _write_words(self, listing: CaptionList, files: CaptionFiles) -> None:
        self._write(files, "the trigger words", listing.with_trigger_words(), "overwrite")

    def _write(
        self, files: CaptionFiles, title: str, captions: dict[Path, str], mode: Mode
    ) -> None:
        talk = self._talk
        for path, text in list(captions.items())[:_PREVIEWED]:
            talk.say(f"{path.name}: {text}", "  ")
        count = counted(len(captions), "caption")
        if not captions or not talk.agree(f"Write {count}?", default=True):
            return
        outcome = files.write(
            captions, title, mode=mode, progress=talk.progress("Captions written:")
        )
        talk.say(f"{counted(len(outcome.written), 'caption')} written.")
        for path, reason in outcome.left.items():
            talk.say(f"{path.name}: {reason}", "  ")

    def _undo(self, _: CaptionList, files: CaptionFiles) -> None:
        look = self._talk.progress("Captions taken back:")
        outcome = writing.undo(files, last_changes(files), look)
        self._talk.say(f"As before: {counted(len(outcome.written), 'caption')}.")
        for path, reason in outcome.left.items():
            self._talk.say(f"{path.name}: {reason}", "  ")
