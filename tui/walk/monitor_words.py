"""What a monitor says of a run. Everything here is safe to show."""

from __future__ import annotations

from collections.abc import Iterable

from ...core.run.directory import RunDirectory
from ...core.run.events import Event
from ...core.run.saved_states import last_step
from ...core.run.status import RunStatus
from ...core.run.wording import phase_in_words
from ...core.text import printable
from ..follow import label
from ..views import duration, ends_early, milestone, own_end, reached_limit
from .runs import STATES

BAR, REST = "━", "─"
_GIB = 2**30
_SHORT = {
    "unet": "",
    "unet up": "up",
    "text_encoder": "text",
    "text_encoder up": "text up",
    "text_encoder_2": "text 2",
    "text_encoder_2 up": "text 2 up",
}


def state_words(status: RunStatus) -> str:
    """The state in a glyph and a word, and what is being done, if it is not training."""
    if status.state != "live":
        glyph, word = STATES[status.state]
        return f"{glyph} {word}"
    if status.stopping:
        return "■ stopping"
    if status.paused:
        doing = "" if status.phase in ("paused", "train") else f", {_phase(status)}"
        return f"‖ paused{doing}"
    if status.phase == "train":
        return f"{STATES['live'][0]} training"
    return f"{STATES['live'][0]} {_phase(status)}"


def position_words(status: RunStatus) -> str:
    """Step and epoch."""
    if not status.total:
        return ""
    words = f"step {status.step:,}/{status.total:,}"
    if status.epoch:
        words += f"  epoch {status.epoch}" + (f"/{status.epochs}" if status.epochs else "")
    return words


def figure_words(status: RunStatus, gpu_bytes: int = 0) -> list[str]:
    """Loss, speed, time left, memory and rates, as far as they are known; the most important
    first. ``gpu_bytes``: the memory that the GPU has."""
    words: list[str] = []
    if status.loss is not None:
        words.append(f"loss {status.loss:.4f}")
    if status.state == "live":
        if status.steps_per_second is not None:
            words.append(f"{status.steps_per_second:.2f} steps/s")
        if status.eta_seconds is not None:
            words.append(f"{duration(status.eta_seconds)} left")
        if ends := own_end(status):
            words.append(f"ends by {ends}{', unfinished' if ends_early(status) else ''}")
    if status.memory:
        of_all = f"/{gpu_bytes / _GIB:.0f}" if gpu_bytes else ""
        words.append(f"VRAM {status.memory / _GIB:.1f}{of_all} GiB")
    if status.learning_rates:
        rates = [
            f"{printable(_SHORT.get(part, part), limit=12)} {rate_text(rate)}".strip()
            for part, rate in status.learning_rates.items()
        ]
        words.append(f"rate {', '.join(rates)}")
    return words


def rate_text(rate: float) -> str:
    """``1e-4``, ``9.5e-5``, ``1``."""
    if rate >= 0.1:
        return f"{rate:.2g}"
    digits, _, power = f"{rate:.1e}".partition("e")
    return f"{digits.removesuffix('.0')}e{int(power)}" if rate else "0"


def fraction_done(status: RunStatus) -> float:
    """Of the run; of the phase, before the first step."""
    done, total = status.step, status.total
    if not total:
        done, total = status.done or 0, status.phase_total
    return min(1.0, max(0.0, done / total)) if total else 0.0


def bar(fraction: float, width: int) -> tuple[str, str]:
    """What is done and what is left of a bar of ``width`` characters, a number at its end."""
    room = max(0, width - 6)
    done = round(fraction * room)
    return BAR * done, REST * (room - done) + f"{int(fraction * 100):4d} %"


def hint(status: RunStatus, run: RunDirectory, has_files: bool) -> str:
    """What to do, when nothing else is to be said."""
    name = label(run)
    if status.state == "finished":
        return "Finished. Enter shows the results."
    if status.state == "live" and status.stopping:
        return _stopping(status)
    if status.state == "live" and status.paused:
        return "Paused; the memory is kept, the GPU's, too. p goes on, x stops and frees it."
    if status.state == "live" and (ends := own_end(status)):
        because = f" ({printable(status.because, limit=24)})" if status.because else ""
        return f"It saves and ends by {ends}{because}. Back to it: lora-wizard attach {name}"
    if status.state == "live":
        return f"It goes on without this window, too. Come back: lora-wizard attach {name}"
    if status.state == "new":
        return "r starts it."
    if not status.resume_helps:
        return "Enter shows the results so far." if has_files else ""
    results = "; enter shows the results so far" if has_files else ""
    limit = printable(reached_limit(status), limit=24)
    why = f"It ended as {limit}. " if limit else ""
    return f"{why}r goes on {going_on_from(run)}{results}."


def going_on_from(run: RunDirectory) -> str:
    """Where a resume begins."""
    step = last_step(run)
    return f"from step {step:,}, the last one saved" if step else "from the beginning"


def _stopping(status: RunStatus) -> str:
    if status.phase == "train":
        return "Stopping: the step is finished, and everything saved."
    if status.phase == "save":
        return "Stopping: everything is being saved."
    if status.phase == "sample":
        return "Stopping: the picture is left unfinished, and everything saved."
    return f"Stopping: it is still {_phase(status)}, and ends as soon as it can."


def silence(minutes: int) -> str:
    """That a job has not been heard of for a while; empty when it has."""
    if not minutes:
        return ""
    return f"No sign of life for {minutes} min: see the log; x stops the run."


def failure_words(status: RunStatus, run: RunDirectory) -> str:
    """Why a run ended that should not have, in lines; empty for others."""
    if status.state == "killed":
        return (
            "The run was killed\n"
            "From outside: by kill -9, or by the kernel, when the machine's memory was full.\n"
            f"Press r: it goes on {going_on_from(run)}."
        )
    if status.state != "failed":
        return ""
    error = status.error or {}
    parts = [error.get(part, "") for part in ("title", "message", "remedy")]
    told = [printable(part, keep_newlines=True) for part in parts if part]
    again = f"When it is mended, press r: it goes on {going_on_from(run)}."
    return "\n".join([*told, again] if status.resume_helps else told)


ASKED = {
    "save": "Save asked: after this step ...",
    "sample": "Samples asked: after this step ...",
    "pause": "Pause asked: after this step ...",
    "resume": "Going on ...",
    "stop": "Stop asked: it finishes what it cannot leave, then saves ...",
}
"""What is said when a request was left."""
_ANSWERS = {
    "save": ("saved",),
    "sample": ("sample",),
    "pause": ("paused",),
    "resume": ("resumed",),
    "stop": ("stopping", "stopped"),
}


def answer(asked: str, told: Iterable[Event]) -> str:
    """What is to be said after these events to somebody who asked for ``asked``, or for nothing
    (empty); empty when they say nothing."""
    said = ""
    for event in told:
        words = _told(event)
        if event["kind"] in _ANSWERS.get(asked, ()):
            return f"{ASKED[asked].partition(':')[0].removesuffix(' ...')}: {words}"
        said = words or said
    return "" if asked else said


def _told(event: Event) -> str:
    if event["kind"] == "resumed":
        return "It goes on."
    if event["kind"] == "paused":
        return f"paused after step {printable(str(event.get('step', '?')))}"
    return milestone(event, set())


def _phase(status: RunStatus) -> str:
    phase = printable(phase_in_words(status.phase), limit=40)
    if status.done is None or not status.phase_total:
        return phase
    return f"{phase} {status.done}/{status.phase_total}"
