"""Reading a run: portions, floods, and a long past."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from lora_wizard.core.run.events import encode
from lora_wizard.tui.log_file import LogTail
from lora_wizard.tui.walk.watching import Watch
from monitored_runs import PreparedRun


def test_portions_come_when_something_is_new(home: Path) -> None:
    run = PreparedRun(home)
    run.train(1, 10)
    watch = Watch(run.directory)
    with run.live():
        first = watch.read()
        assert first and first.is_first and not first.told and first.status.step == 10
        assert first.log[-1].endswith("training (1200)")
        assert watch.read() is None
        run.emit("progress", phase="train", done=10, total=1200)
        run.save(10, 1)
        portion = watch.read()
        assert portion and [event["kind"] for event in portion.told] == ["saved"]
        assert [mark.path for mark in watch.saves()] == ["mika-000001.safetensors"]
    ended = watch.read()
    assert ended and ended.status.state == "killed"


def test_a_long_past_is_kept_small(home: Path) -> None:
    run = PreparedRun(home)
    with run.directory.events_path.open("wb") as file:
        for step in range(1, 100_001):
            event = {"kind": "step", "time": float(step), "step": step, "epoch": step // 500 + 1}
            file.write(encode({**event, "total": 100_000, "loss": 1 / step}))
    watch = Watch(run.directory)
    portion = watch.read()
    assert portion and portion.status.step == watch.last_step == 100_000
    curves = watch.curves(200, 1, 100_000)
    assert len(curves.loss) == 200
    assert curves.loss[0].high == 1.0 and curves.loss[-1].last_step == 100_000


@given(
    portions=st.lists(st.lists(st.text("ab\r\x1b", max_size=30), max_size=8), max_size=6),
    most=st.integers(1, 5),
)
def test_a_log_is_told_in_whole_lines(
    tmp_path_factory: object, portions: list[list[str]], most: int
) -> None:
    path = tmp_path_factory.mktemp("log") / "log"  # pyright: ignore[reportAttributeAccessIssue]
    path.write_bytes(b"")
    tail = LogTail(path, most)
    assert tail.read() == []
    for lines in portions:
        with path.open("ab") as file:
            file.write("".join(f"{line}|\n" for line in lines).encode() + b"torn")
        told = tail.read()
        assert len(told) == min(len(lines), most)
        assert all(line.endswith("|") and "\x1b" not in line for line in told)
        with path.open("r+b") as file:
            file.truncate(path.stat().st_size - len("torn"))


def test_a_flood_shows_its_end(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("")
    tail = LogTail(path, 10)
    tail.read()
    path.write_text("".join(f"line {at} {'x' * 500}\n" for at in range(10_000)))
    told = tail.read()
    assert told[-1].startswith("line 9999 ") and len(told) <= 10
    assert tail.read() == []
