"""A job ends in time: what a person writes, when it must stop, and what follows."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lora_wizard.core.run import control
from lora_wizard.core.run.asked_limits import LimitError, limits
from lora_wizard.core.run.directory import RunDirectory
from lora_wizard.core.run.launch import launch
from lora_wizard.core.run.limits import Deadline, Limits
from lora_wizard.core.run.lock import AlreadyRunningError, holder
from lora_wizard.core.run.status import summary
from lora_wizard.tui.cli import main

from .conftest import until

NOW = datetime(2026, 11, 21, 17, 0, tzinfo=UTC)


def seconds(**asked: str) -> float:
    found = limits(**asked, now=NOW).ends_at
    assert found is not None
    return found - NOW.timestamp()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2h", 7200),
        ("2h30m", 9000),
        ("90 min", 5400),
        ("45", 2700),
        ("1.5h", 5400),
        ("1d2h", 93600),
    ],
)
def test_durations_as_people_write_them(text: str, expected: int) -> None:
    assert seconds(max_time=text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("18:30", 5400), ("16:00", 82800), ("2026-11-22 06:00", 46800), ("2026-11-21T17:01", 60)],
)
def test_moments_on_the_clock(text: str, expected: int) -> None:
    assert seconds(until=text) == expected


def test_money_by_the_hour() -> None:
    assert seconds(max_cost="5", price="$0.50") == 36000
    assert seconds(max_cost="1,50", price="0,75 EUR/h") == 7200


@pytest.mark.parametrize(
    "asked",
    [
        {"until": "later"},
        {"until": "25:00"},
        {"until": "2020-01-01 10:00"},
        {"max_time": "2 parsecs"},
        {"max_time": "0"},
        {"max_time": "-2h"},
        {"max_cost": "5"},
        {"max_cost": "much", "price": "1"},
        {"max_cost": "5", "price": "0"},
    ],
)
def test_what_cannot_be_understood_is_said(asked: dict[str, str]) -> None:
    with pytest.raises(LimitError):
        limits(**asked, now=NOW)


@given(st.text(max_size=12), st.text(max_size=12))
def test_any_text_is_a_limit_or_a_clear_word(text: str, price: str) -> None:
    for asked in ({"until": text}, {"max_time": text}, {"max_cost": text, "price": price}):
        try:
            found = limits(**asked, now=NOW)
        except LimitError:
            continue
        assert not any(asked.values()) or not text or found.ends_at is not None


def test_the_earliest_of_several_counts_and_says_which() -> None:
    both = limits(until="18:00", max_time="2h", now=NOW)
    assert both.ends_at == (NOW + timedelta(hours=1)).timestamp()
    assert "18:00" in both.because
    assert "2h" in limits(until="20:00", max_time="2h", now=NOW).because


def test_a_secret_in_the_command_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_abcdefghijklmnop")
    with pytest.raises(LimitError, match="secret"):
        limits(then="curl -H 'Authorization: Bearer hf_abcdefghijklmnop' example.org")
    assert limits(then="upload --token $HF_TOKEN").then == "upload --token $HF_TOKEN"


@given(
    step=st.floats(0.5, 20),
    save=st.floats(0.01, 60),
    every=st.integers(1, 50),
    limit=st.floats(200, 3000),
)
def test_the_last_step_and_its_save_are_done_in_time(
    step: float, save: float, every: int, limit: float
) -> None:
    """A run of steps and saves of these lengths, on a clock of its own."""
    deadline, now, done = Deadline(Limits(limit, "it is late")), 0.0, 0
    deadline.hear("phase", {"phase": "train"}, now)
    while not deadline.is_near(now):
        now += step
        done += 1
        deadline.hear("step", {"step": done}, now)
        if done % every == 0:
            deadline.hear("phase", {"phase": "save"}, now)
            # The file, which is told of, and then the state.
            deadline.hear("saved", {}, now + 0.9 * save)
            now += save
            deadline.hear("phase", {"phase": "train"}, now)
    # Stopped: everything is saved, unless it just was. The first save is longer than it was
    # taken for.
    surprise = max(0.0, save - 15) if done <= every else 0.0
    still = 0.0 if done % every == 0 else save
    assert now + still - surprise <= limit
    assert now + 2 * step + 2 * max(save, 15) + 5 + step + save >= limit, "not much too early"


def test_a_job_saves_and_stops_before_its_limit(
    run: RunDirectory, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("JOB_SCRIPT", json.dumps({"steps": 1000}))
    out = run.path / "said"
    command = f'echo "$LORA_WIZARD_OUTCOME $LORA_WIZARD_RUN" > {out}'
    process = launch(run, "jobs", Limits(time.time() + 33, "33 s are over", command))
    assert process.wait() == 75
    assert run.record().outcome == "stopped"
    kinds = [json.loads(line) for line in run.events_path.read_text().splitlines()]
    (stopping,) = [event for event in kinds if event["kind"] == "stopping"]
    assert stopping["by"] == "33 s are over"
    assert main(["status", str(run.path)]) == 0
    assert "stopped (exit status 75), as 33 s are over" in capsys.readouterr().out
    assert [event for event in kinds if event["kind"] == "saved"]
    until(lambda: out.exists() and out.read_text())
    assert out.read_text() == f"stopped {run.path}\n"


@pytest.mark.parametrize(("how", "runs"), [("finish", True), ("fail", True), ("stop", False)])
def test_the_command_follows_the_end_but_not_a_persons_stop(
    how: str, runs: bool, run: RunDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = {"finish": {}, "fail": {"fail": "user"}, "stop": {"steps": 5000}}[how]
    monkeypatch.setenv("JOB_SCRIPT", json.dumps(script))
    out = run.path / "said"
    process = launch(run, "jobs", Limits(then=f'echo "$LORA_WIZARD_OUTCOME" > {out}'))
    if how == "stop":
        control.request(run, "stop")
    process.wait()
    if runs:
        until(lambda: out.exists() and out.read_text())
        assert out.read_text().strip() == {"finish": "finished", "fail": "failed"}[how]
        assert "afterwards" in run.log_path.read_text()
    else:
        time.sleep(0.3)
        assert not out.exists()


def test_what_a_job_starts_has_no_limits_of_the_job(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Limits(1.0, "long ago", "false")
    for name, value in asked.environment.items():
        monkeypatch.setenv(name, value)
    assert Limits.take() == asked
    assert Limits.take() == Limits()


def test_of_starts_at_once_the_job_has_the_limits_of_the_one_who_started_it(
    run: RunDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JOB_SCRIPT", json.dumps({"steps": 5000}))

    def attempt(number: int) -> tuple[int, int] | None:
        try:
            return launch(run, "jobs", Limits(4e9 + number, f"limit {number}")).pid, number
        except AlreadyRunningError:
            return None

    with ThreadPoolExecutor(6) as threads:
        ((pid, number),) = filter(None, threads.map(attempt, range(6)))
    assert pid == holder(run.lock_path)
    until(lambda: summary(run).because)
    assert summary(run).because == f"limit {number}"


def test_whoever_watches_knows_when_it_ends_and_why(
    run: RunDirectory, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("JOB_SCRIPT", json.dumps({"steps": 5000}))
    asked = limits(max_cost="$5", price="$2.50", then="upload 'a b'")
    assert asked.ends_at
    process = launch(run, "jobs", asked)
    try:
        until(lambda: summary(run).ends_at)
        assert main(["status", str(run.path)]) == 0
        words = capsys.readouterr().out
        clock = f"{datetime.fromtimestamp(asked.ends_at):%H:%M}"
        assert f"at {clock} at the latest, saved: $5 are spent" in words
        assert "upload 'a b'" in words
        assert main(["status", str(run.path), "--json"]) == 0
        told = json.loads(capsys.readouterr().out)
        assert (told["ends_at"], told["because"]) == (asked.ends_at, "$5 are spent")
    finally:
        control.kill(run)
        process.wait()
    assert main(["status", str(run.path)]) == 0
    assert "$5" not in capsys.readouterr().out
    # The next start has limits of its own, or none.
    monkeypatch.setenv("JOB_SCRIPT", json.dumps({"steps": 3}))
    assert launch(run, "jobs").wait() == 0
    assert (summary(run).ends_at, summary(run).then) == (None, "")
