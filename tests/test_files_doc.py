"""docs/files.md names everything that a script of somebody's may rely on."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path
from typing import get_type_hints, is_typeddict

import pytest
from lora_wizard.captioners.job import events as captioning_events
from lora_wizard.core.regularization import events as regularization_events
from lora_wizard.core.run import control, events, measure
from lora_wizard.core.run.directory import RunRecord
from lora_wizard.core.run.status import RunStatus
from lora_wizard.tui.walk.kept import Kept

ROOT = Path(__file__).resolve().parents[1]
DOCUMENT = (ROOT / "docs/files.md").read_text()
FORMS = [
    form
    for module in (events, captioning_events, regularization_events)
    for form in vars(module).values()
    if is_typeddict(form)
]


def section(title: str) -> str:
    """The text below a heading, up to the next of its rank."""
    level, _, rest = DOCUMENT.partition(f"# {title}\n")
    rank = len(level) - len(level.rstrip("#")) + 1
    return re.split(rf"\n#{{1,{rank}}} ", rest)[0]


def rows(text: str) -> dict[str, list[str]]:
    """First cell of each row of the tables -> all words that are code in the row."""
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        if line.startswith("| `"):
            first, code = line.split("|")[1], re.findall(r"`([^`]+)`", line)
            found |= dict.fromkeys(re.findall(r"`([^`]+)`", first), code)
    return found


def kind_of(form: type) -> str:
    named = re.match(r"``(\w+)``", form.__doc__ or "")
    assert named, form
    return named[1]


@pytest.mark.parametrize("form", FORMS, ids=kind_of)
def test_every_event_and_its_fields(form: type) -> None:
    missing = set(get_type_hints(form)) - set(rows(section("Events"))[kind_of(form)])
    assert not missing


def test_every_kind_that_is_written_and_no_other() -> None:
    told = rows(section("Events"))
    written: set[str] = set()
    for path in [*(ROOT / "core").rglob("*.py"), *(ROOT / "captioners").rglob("*.py")]:
        written |= set(re.findall(r'\bemit\(\s*"(\w+)"', path.read_text()))
    # The ends are written by one line of the job.
    assert written | {"finished", "stopped"} == set(told)


@pytest.mark.parametrize(
    ("title", "record"),
    [("run.json", RunRecord), ("For programs", RunStatus), ("Outside the run", Kept)],
)
def test_every_field_of_what_is_stored(title: str, record: type) -> None:
    code = set(re.findall(r"`([^`]+)`", section(title)))
    assert {item.name for item in fields(record)} <= code


def test_every_request() -> None:
    requests = set(control.Request.__args__) - {"resume"}
    assert requests | {"reserve"} == set(rows(section("Requests")))


def test_every_file_of_a_run() -> None:
    told = set(rows(section("A run's directory").partition("### run.json")[0]))
    code = "".join(path.read_text() for path in (ROOT / "core/run").glob("*.py"))
    named = set(re.findall(r'"([\w.]+\.(?:json|jsonl|log|toml|lock))"', code))
    assert named - {"state.json", "logind.conf"} <= told
    assert measure.RESULT_FILE in told
