"""Gathers what the page shows and writes it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from ..config import RunConfig
from ..dataset.build import build_plan
from ..dataset.captions import final_caption
from ..dataset.plan import Draw
from ..errors import WizardError
from ..families import registry as families
from ..files import write_text
from ..places import size_text
from ..run.directory import RunDirectory
from ..run.events import EventReader, decode, in_sentences
from ..run.history import History
from ..run.measure import measurement
from ..run.outcome import RunOutcome, Version
from ..run.status import RunStatus, Tracker
from ..weights.metadata import base_name
from . import page
from .curve import curve
from .pictures import data_url

REPORT = "report.html"
_SAMPLE_SIDE = 512
_THUMBNAIL_SIDE = 112
_ERROR_PARTS = ("title", "message", "remedy")
_MOST_PICTURES = 400
"""Of the dataset; more would make a page that no browser opens gladly."""


@dataclass(frozen=True)
class _Run:
    """What the page is made from."""

    directory: RunDirectory
    status: RunStatus
    history: History
    outcome: RunOutcome
    config_text: str
    seconds: float
    device: str
    """What its last attempt computed on; empty when it does not say."""


def write_report(run: RunDirectory, state: str = "") -> Path:
    """Write the page of ``run`` as it stands, whether it goes on or not; returns its path.
    ``state`` is how it has ended, said by the job itself, which still holds the run.

    Self-contained: pictures are in it, and it asks nothing of the network. Raises WizardError when
    the run cannot be read or the page cannot be written.
    """
    known = _read(run)
    text = page.document(
        title=_title(known.outcome.config.output.name, run.name),
        sections=[
            ("", _head(known, state or known.status.state)),
            ("What it learned", _learned(run)),
            ("Pictures", _panels(known.outcome)),
            ("Loss", _curves(known)),
            ("Files", _files(known)),
            ("Problems", page.bullets(known.status.problems)),
            ("Pictures it learned from", _dataset(known.outcome.config)),
            ("Configuration", page.preformatted(known.config_text)),
        ],
    )
    path = run.path / REPORT
    write_text(path, text)
    return path


def _read(run: RunDirectory) -> _Run:
    tracker, history = Tracker(), History()
    first, last, seconds, device = None, None, 0.0, ""
    for line in EventReader(run.events_path).lines():
        event = decode(line)
        if event is None:
            continue
        tracker.add(event)
        history.add(event)
        device = str(event.get("name", "")) if event["kind"] == "device" else device
        now = event.get("time")
        if isinstance(now, (int, float)):
            if event["kind"] == "started":
                # The time between two attempts was nobody's work.
                seconds += (last or now) - (first or now)
                first = now
            last = now
    seconds += (last or 0) - (first or last or 0)
    text = run.config_path.read_text(encoding="utf-8", errors="replace")
    status, outcome = tracker.status(run), RunOutcome.of(run)
    return _Run(run, status, history, outcome, text, max(0.0, seconds), device)


def _head(known: _Run, state: str) -> str:
    config, status = known.outcome.config, known.status
    network = config.network
    ranks = f"{network.rank}, {network.scaling_alpha:g}"
    if network.conv_rank:
        ranks += f"; convolutions {network.conv_rank}, {network.scaling_conv_alpha:g}"
    facts = {
        "State": state,
        "Begun": time.strftime("%Y-%m-%d %H:%M", time.localtime(status.created)),
        "Took": _duration(known.seconds),
        "On": known.device,
        "Base model": base_name(config.model.base),
        "Steps": f"{status.step} of {status.total}" if status.total else str(status.step),
        "Epochs": f"{status.epoch} of {status.epochs}" if status.epochs else str(status.epoch),
        "Speed": f"{status.steps_per_second:.2f} steps/s" if status.steps_per_second else "",
        "Loss": f"{status.loss:.4f} (smoothed)" if status.loss is not None else "",
        "GPU memory": f"{status.memory / 2**30:.1f} GiB at most" if status.memory else "",
        "Rank, alpha": ranks,
        "Continued from": Path(network.weights).name if network.weights else "",
        "Learning rate": _rate(config),
        "Trigger words": ", ".join(config.captions.trigger_words),
        "Error": in_sentences(*((status.error or {}).get(part) for part in _ERROR_PARTS)),
    }
    return page.facts({name: value for name, value in facts.items() if value})


def _title(name: str, run: str) -> str:
    """Of the page: the run is called after its file, with a number where there were others."""
    return run if run.startswith(name) else f"{name}: {run}"


def _rate(config: RunConfig) -> str:
    rate = config.optimizer.learning_rate
    by_optimizer = f"{config.optimizer.name}'s own"
    return by_optimizer if rate is None else f"{rate:g} ({config.optimizer.scheduler})"


def _learned(run: RunDirectory) -> str:
    found = measurement(run)
    return page.paragraph(" ".join(found.words)) if found else ""


def _panels(outcome: RunOutcome) -> str:
    shown = [version for version in outcome.versions if any(version.pictures)]
    if not shown:
        return page.paragraph("No sample pictures were drawn: samples.prompts names none.")
    rows = [
        (prompt, [_panel(version, place) for version in shown])
        for place, prompt in enumerate(outcome.prompts)
    ]
    heads = [(version.label, _role(version, outcome)) for version in shown]
    return page.panels(heads, rows)


def _panel(version: Version, place: int) -> tuple[str, str]:
    """(data URL, file name) of one picture; empty where there is none."""
    path = version.pictures[place]
    return (data_url(path, _SAMPLE_SIDE), path.name) if path else ("", "")


def _role(version: Version, outcome: RunOutcome) -> str:
    if version.file and version.file == outcome.chosen:
        return "chosen"
    return "final" if outcome.final and version.step == outcome.final.step else ""


def _curves(known: _Run) -> str:
    history = known.history
    drawn = [curve(history.loss, history.epochs, "loss")]
    if history.validation:
        drawn.append(curve(history.validation, history.epochs, "validation loss"))
    drawn += [
        curve(series, history.epochs, f"learning rate: {part}", height=90, smooth=False)
        for part, series in history.learning_rates.items()
    ]
    return (
        page.scrolling("".join(drawn))
        if any(drawn)
        else page.paragraph("No step has been trained yet.")
    )


def _files(known: _Run) -> str:
    rows = [
        [
            version.file,
            version.label,
            str(version.step),
            size_text(version.bytes),
            version.sha256,
            _role(version, known.outcome),
        ]
        for version in known.outcome.versions
        if version.file
    ]
    table = page.table(["File", "After", "Step", "Size", "SHA-256", ""], rows)
    copies = [f"Copied to {path}" for path in known.outcome.published]
    return table + page.bullets(copies)


def _dataset(config: RunConfig) -> str:
    try:
        plan = build_plan(config, families.find(config.model.family))
    except WizardError:
        return page.paragraph("They are no longer where they were when it was trained.")
    entries = [
        (
            data_url(sample.path, _THUMBNAIL_SIDE),
            sample.name,
            f"{sample.width}x{sample.height} in {sample.bucket}, x{sample.repeats}",
            final_caption(Draw(sample, 1, 0), config),
        )
        for sample in plan.training_samples[:_MOST_PICTURES]
    ]
    more = len(plan.training_samples) - len(entries)
    return page.pictures(entries) + (page.paragraph(f"And {more} more.") if more else "")


def _duration(seconds: float) -> str:
    whole = round(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"
