"""What to begin with: a preset, a draft that was left, a TOML, the demo."""

from __future__ import annotations

import argparse
import contextlib
import time
from pathlib import Path

from ...core.errors import WizardError
from ...core.run.directory import known_runs
from ..follow import label
from ..walk import steps
from ..walk.dataset import clear_placeholders
from ..walk.demo import FOLDER
from ..walk.draft import Draft, drafts
from ..walk.hold import HeldError, Hold, take_over
from ..walk.memory import recent_tomls
from ..walk.opening import opened
from ..walk.presets import presets
from .talk import HOW, KEEP, BackError, Talk

_DRAFTS = 9


def choose(talk: Talk) -> Draft | int:
    """The draft to walk through, or the exit status of what was done instead. Raises
    LeaveError."""
    talk.show("lora-wizard: from a folder of pictures to a LoRA.")
    talk.say(HOW)
    for run in known_runs():
        if run.is_live():
            talk.say(f"{run.name} is training. To watch it: lora-wizard attach {label(run)}")
    while True:
        with contextlib.suppress(BackError):
            return _choose(talk)


def _choose(talk: Talk) -> Draft | int:
    kept = drafts()[:_DRAFTS]
    choices = [
        ("new", "a LoRA of your own pictures, step by step"),
        ("demo", "see the whole thing work, in about two minutes, without a model or pictures"),
        ("open", "a TOML that is there"),
        *((f"go on with {draft.name}", _state(draft)) for draft in kept),
    ]
    talk.show()
    at = talk.choose("What do you want to do?", choices, default=3 if kept else 0)
    if at == 0:
        return _new(talk)
    if at == 1:
        return demo(talk)
    return _open(talk) if at == 2 else kept[at - 3]


def hold(talk: Talk, draft: Draft) -> Hold:
    """Keep other wizards out of ``draft``, ending the one that has it if the person says so.
    Raises HeldError."""
    try:
        return Hold(draft)
    except HeldError as error:
        talk.say(f"{error.title}. {error.message}")
        if not talk.agree("End the other one, which loses nothing, and go on here?"):
            raise
        return take_over(draft)


def demo(talk: Talk) -> int:
    """Train on the model that comes along; returns the exit status."""
    from ..commands import demo as command

    folder = talk.ask(f"Folder for the demo [{FOLDER}]:")
    return command.run(argparse.Namespace(folder=folder or FOLDER, json=False))


def _new(talk: Talk) -> Draft:
    offered = presets()
    talk.show()
    at = talk.choose(
        "Which preset? Every value of it can be changed.",
        [(preset.name, f"{preset.title}. {preset.summary}") for preset in offered],
    )
    draft = Draft.new(offered[at].name)
    clear_placeholders(draft)
    return draft


def _open(talk: Talk) -> Draft:
    recent = recent_tomls()
    for path in recent:
        talk.say(f"opened before: {path}", "  ")
    default = str(recent[0]) if recent else ""
    while True:
        answer = talk.ask(f"Path of the TOML [{default}]:")
        if answer == KEEP:
            answer = default
        try:
            return opened(Path(answer).expanduser())
        except (WizardError, RuntimeError) as error:
            talk.show(str(error))


def _state(draft: Draft) -> str:
    where = steps.find(draft.step).title if draft.step else "the beginning"
    touched = time.strftime("%d %B, %H:%M", time.localtime(draft.changed))
    return f"left at {where}, {touched}"
