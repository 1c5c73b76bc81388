"""How far the walk is: per step a state in a glyph and a word, and the answer in a line."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath

from . import steps
from .assessment import Assessment
from .draft import FACTS, Draft
from .steps import STEPS, Step

MARKS: dict[str, tuple[str, str]] = {
    "here": ("►", "here"),
    "wrong": ("✗", "to mend"),
    "done": ("✓", "done"),
    "ahead": ("·", ""),
}
"""State -> (glyph, word); what lies ahead needs no word."""


@dataclass(frozen=True)
class StepState:
    """A step in the list of steps."""

    step: Step
    mark: str
    """A key of `MARKS`."""
    errors: int
    """What is just being decided for the first time is not yet wrong."""
    answer: str
    """What was decided, in a few words; not yet safe to show. Empty before anything is."""


def states(draft: Draft, here: Step, assessment: Assessment | None) -> list[StepState]:
    """All steps as they stand."""
    reached = _reached(draft, here)
    found: list[StepState] = []
    for place, step in enumerate(STEPS):
        # The review is never over: something may have changed since.
        seen = place <= reached and step is not STEPS[-1]
        is_new = seen and step is here and place == reached
        errors = len(step.problems(assessment.errors)) if assessment and not is_new else 0
        mark = "here" if step is here else "ahead" if not seen else "wrong" if errors else "done"
        answer = _answer(step.name, draft, assessment) if seen else ""
        found.append(StepState(step, mark, errors, answer))
    return found


def arrive(draft: Draft, step: Step) -> None:
    """Note that the person is at ``step``."""
    draft.note("reached", STEPS[_reached(draft, step)].name)
    draft.step = step.name


def is_untouched(draft: Draft) -> bool:
    """Whether the draft is a preset of which nobody has yet seen more than the first step."""
    begun = draft.fact("reached") not in ("", STEPS[0].name)
    facts = any(draft.fact(name) for name in FACTS)
    # A preset's example of a folder is taken out of its field; that decides nothing.
    decided = any(value not in ("", None) for _, _, value in draft.differences())
    return bool(draft.template) and not (begun or facts or decided or draft.source)


def _reached(draft: Draft, here: Step) -> int:
    """The place of the furthest step that was seen; a TOML of the person's own has all answers."""
    if draft.source is not None and not draft.template:
        return len(STEPS) - 1
    noted = draft.fact("reached")
    before = STEPS.index(steps.find(noted)) if noted else 0
    return max(before, STEPS.index(here))


def _answer(step: str, draft: Draft, assessment: Assessment | None) -> str:
    teller = _ANSWERS.get(step)
    return teller(draft, assessment) if teller else ""


def _dataset(draft: Draft, assessment: Assessment | None) -> str:
    plan = assessment.plan if assessment else None
    if plan is None:
        return PurePath(draft.shown("dataset.folder")).name
    return _counted(len(plan.training_samples), "picture")


def _captions(draft: Draft, assessment: Assessment | None) -> str:
    return ", ".join(_texts(draft.value("captions.trigger_words"))) or "no trigger word"


def _repeats(draft: Draft, assessment: Assessment | None) -> str:
    epochs = draft.shown("training.epochs")
    schedule = assessment.schedule if assessment else None
    told = _counted(int(epochs), "epoch") if epochs.isdecimal() else ""
    if schedule is None:
        return told
    return f"{schedule.total_steps:,} steps" + (f", {told}" if told else "")


def _model(draft: Draft, assessment: Assessment | None) -> str:
    return PurePath(draft.shown("model.base")).name


def _parameters(draft: Draft, assessment: Assessment | None) -> str:
    return f"rank {draft.shown('network.rank')}, {draft.shown('optimizer.name')}"


def _samples(draft: Draft, assessment: Assessment | None) -> str:
    prompts = _texts(draft.value("samples.prompts"))
    return _counted(len(prompts), "prompt") if prompts else "none"


def _output(draft: Draft, assessment: Assessment | None) -> str:
    return draft.shown("output.name")


def _texts(value: object) -> list[str]:
    """A TOML of anybody's may have anything there."""
    return [str(item) for item in value] if isinstance(value, list) else []


def _counted(number: int, word: str) -> str:
    return f"{number:,} {word}" + ("" if number == 1 else "s")


_ANSWERS = {
    "dataset": _dataset,
    "captions": _captions,
    "repeats": _repeats,
    "model": _model,
    "parameters": _parameters,
    "samples": _samples,
    "output": _output,
}
