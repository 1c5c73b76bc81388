"""The cache has a size: what was not used for longest makes way, and never what a run needs."""

import json
import os
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from lora_wizard.core import cache_room
from lora_wizard.core.errors import WizardError
from lora_wizard.core.training.store import TensorStore, content_key
from lora_wizard.tui.cli import main
from training_runs import events, files, start, toy_config


def filled(folder: Path, ages: list[tuple[int, int]]) -> None:
    for index, (used, size) in enumerate(ages):
        path = folder / f"{index % 3:02x}" / f"{index}"
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_bytes(bytes(size))
        os.utime(path, (used, used))


@given(
    ages=st.lists(st.tuples(st.integers(1, 50), st.integers(0, 400)), max_size=20),
    most=st.integers(0, 4000),
    spared=st.integers(1, 60),
)
def test_the_oldest_go_until_the_rest_fits(
    ages: list[tuple[int, int]],
    most: int,
    spared: int,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("cache")
    filled(folder, ages)
    before = {entry.path: entry for entry in cache_room.entries(folder)}
    count, freed = cache_room.trim(folder, most, used_before=spared)
    left = {entry.path: entry for entry in cache_room.entries(folder)}
    gone = [before[path] for path in before.keys() - left.keys()]
    assert count == len(gone) and freed == sum(entry.bytes for entry in gone)
    total = sum(entry.bytes for entry in left.values())
    assert total <= most or all(entry.used >= spared for entry in left.values())
    assert all(entry.used < spared for entry in gone)
    if gone and left:
        assert max(entry.used for entry in gone) <= min(entry.used for entry in left.values())
    if gone:
        # One fewer would not have been enough.
        assert total + min(entry.bytes for entry in gone) >= min(most, total)


def test_reading_an_entry_makes_it_young(tmp_path: Path) -> None:
    store, key = TensorStore(tmp_path), content_key(picture="a")
    store.put(key, {"encoded": torch.zeros(3)})
    os.utime(store.path(key), (1, 1))
    assert TensorStore(tmp_path).get(key) is not None
    assert store.path(key).stat().st_mtime > 1e9


def test_a_run_keeps_its_own_entries_and_lets_older_ones_go(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    stale = tmp_path / "cache" / "lora-wizard" / "encoded" / "aa" / "stale"
    stale.parent.mkdir(parents=True)
    stale.write_bytes(bytes(1000))
    os.utime(stale, (1, 1))
    monkeypatch.setenv(cache_room.VARIABLE, "0.000001")
    run = start(toy_config(pictures, tmp_path / "runs"))
    assert not stale.exists() and "let go 1 entries" in run.log_path.read_text()
    kept = list(cache_room.entries(stale.parents[1]))
    assert len(kept) >= 6
    assert files(run) and not events(run, "problem")


def test_the_command_shows_and_makes_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    filled(tmp_path / "lora-wizard" / "encoded", [(5, 3000), (9, 2000)])
    assert main(["cache", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["files"], shown["bytes"], shown["allowed_bytes"]) == (2, 5000, 20 * 10**9)
    assert main(["cache", "--trim", "0.000002", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["bytes"] == 2000
    assert main(["cache", "--clear"]) == 0
    assert "0 files" in capsys.readouterr().out


def test_a_size_that_is_no_number_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for text in ("much", "-1", "nan"):
        monkeypatch.setenv(cache_room.VARIABLE, text)
        with pytest.raises(WizardError, match="gigabytes"):
            cache_room.allowed_bytes()
