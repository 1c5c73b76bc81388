"""Captions by a model, asked and told line by line."""

from __future__ import annotations

import time

from ...captioners.base import ModelSpec
from ...core.errors import WizardError
from ...core.run import control
from ...core.run.lock import AlreadyRunningError
from ...core.run.tasks import TaskDirectory
from ..walk import captioning
from ..walk.assessment import Assessment
from ..walk.caption_news import CaptionNews
from ..walk.captioning import Settings
from ..walk.draft import Draft
from ..walk.task_watch import TaskWatch
from .talk import Talk

_GLANCE = 0.25
_SIGN_OF_LIFE = 3.0
_MOST_SAID = 12


def ask(talk: Talk, draft: Draft, known: Assessment) -> None:
    """Ask which captioner, and for which pictures; begin, and wait for it. Raises WizardError."""
    settings = Settings(draft, known)
    specs = captioning.models()
    words = []
    for spec in specs:
        here = "" if captioning.is_ready(settings, spec) else " Not on this machine yet."
        words.append((spec.title, f"{spec.help}{here}"))
    names = [spec.name for spec in specs]
    before = names.index(settings.source) if settings.source in names else 0
    spec = specs[talk.choose("Which captioner?", words, default=before)]
    settings.source = spec.name
    modes = [mode for mode, _ in captioning.MODES]
    at = talk.choose(
        "Captions for:",
        [(title, "") for _, title in captioning.MODES],
        default=modes.index(settings.mode),
    )
    settings.mode = modes[at]
    _begin(talk, settings, spec, known)


def watch(talk: Talk, job: TaskDirectory) -> None:
    """Tell how far the job is until it ends. Ctrl-C only ends the watching. Raises WizardError."""
    heard = CaptionNews(job.about())
    try:
        talk.say("Ctrl-C ends the watching, not the captioning.")
        _watch(talk, TaskWatch(job), heard)
    except KeyboardInterrupt:
        talk.show()
        talk.say("The captioning goes on by itself. Choose watch to see it again, or stop.")
        return
    for line in heard.line().split("\n"):
        talk.say(line)
    for line in heard.said(_MOST_SAID):
        talk.say(line, "  ")


def stop(talk: Talk, job: TaskDirectory) -> None:
    """End the job, and wait until what it found is written. Raises WizardError."""
    control.request(job, "stop")
    talk.say("It finishes what it looks at, and writes what it found.")
    control.wait(job)
    talk.say("Stopped. The same captioner goes on where it was.")


def _begin(talk: Talk, settings: Settings, spec: ModelSpec, known: Assessment) -> None:
    wanted = captioning.asked(settings, spec, known)
    if wanted.lacks:
        talk.say(f"{spec.title} is not ready.")
        for problem in wanted.lacks:
            talk.say(problem.words, "  ")
        if command := captioning.command_in(wanted.lacks):
            talk.say("In another terminal:")
            talk.show(f"  {command}")
        return
    found = captioning.count(wanted.task)
    for line in captioning.told(found, spec.title):
        talk.say(line)
    if found.wanted and found.wanted[0].prefix:
        talk.say(f"Every caption begins: {found.wanted[0].prefix}")
    if not found.wanted or not talk.agree("Begin?", default=True):
        return
    try:
        captioning.begin(wanted)
    except AlreadyRunningError:
        talk.say("They are being captioned already.")
    watch(talk, wanted.directory)


def _watch(talk: Talk, watched: TaskWatch, heard: CaptionNews) -> None:
    said, last = "", time.monotonic()
    while True:
        try:
            news = watched.read()
        except WizardError as error:
            talk.show(str(error))
            return
        new = heard.hear(news)
        if news.is_over:
            return
        if time.monotonic() - last >= _SIGN_OF_LIFE and heard.line() != said:
            said, last = heard.line(), time.monotonic()
            talk.say(said, "  ")
            if new:
                newest = heard.captions[0]
                talk.say(f"{newest.picture.name}: {newest.text}", "    ")
        time.sleep(_GLANCE)
