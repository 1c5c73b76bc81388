from __future__ import annotations

import errno
import json
import os
import subprocess
from pathlib import Path

import pytest
from lora_wizard.core.config import RunConfig
from lora_wizard.core.errors import WizardError
from lora_wizard.core.files import WriteError
from lora_wizard.core.run.directory import RunDirectory, find_run, known_runs
from lora_wizard.core.run.events import EventWriter

from .conftest import python

CREATE = """
import os, sys
from lora_wizard.core.config import RunConfig
from lora_wizard.core.run.directory import RunDirectory
config = RunConfig.model_validate_json(sys.argv[1])
wait, go = os.pipe()
for _ in range(50):
    if os.fork() == 0:
        os.close(go)
        os.read(wait, 1)
        os.write(1, bytes(RunDirectory.create(config).path) + b"\\n")
        os._exit(0)
os.close(go)
assert [os.wait()[1] for _ in range(50)] == [0] * 50
"""


def test_fifty_starts_at_once_give_fifty_directories(config: RunConfig, tmp_path: Path) -> None:
    process = python(CREATE, config.model_dump_json(), stdout=subprocess.PIPE)
    made = process.communicate()[0].split()
    assert process.returncode == 0
    output = tmp_path / "output"
    expected = {"mika"} | {f"mika-{number}" for number in range(2, 51)}
    assert len(set(made)) == len(made) == 50
    assert {path.name for path in output.iterdir()} == expected
    assert {run.name for run in known_runs()} == expected


def test_the_frozen_copy_means_the_same_from_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "base").mkdir()
    config = RunConfig.model_validate(
        {
            "model": {"base": "base"},
            "dataset": {
                "concepts": [{"folder": "../mika"}],
                "regularization_folder": "~/class",
                "resolution": [448, 640],
            },
            "captions": {"prefix": 'quotes " and \\ and \n newlines, ☃'},
            "optimizer": {"unet_learning_rate": 5e-5, "text_encoder_learning_rate": "off"},
            "output": {"folder": "out", "name": "mika"},
        }
    )
    monkeypatch.setenv("HOME", "/home/somebody")
    monkeypatch.chdir(tmp_path)
    path = RunDirectory.create(config).path
    monkeypatch.chdir("/")
    frozen = RunDirectory.open(path).config()
    assert frozen.model.base == str(tmp_path / "base")
    assert frozen.dataset.concepts[0].folder == str(tmp_path.parent / "mika")
    assert frozen.dataset.regularization_folder == "/home/somebody/class"
    assert frozen.output.folder == str(tmp_path / "out")
    for section in ("captions", "training", "network", "loss", "samples"):
        assert getattr(frozen, section) == getattr(config, section)
    # What an optimizer usually has stands in the copy: it may be another in a later version.
    told = config.optimizer.model_dump(exclude_unset=True)
    assert told.items() <= frozen.optimizer.model_dump().items()
    assert (config.optimizer.betas, frozen.optimizer.betas) == (None, [0.9, 0.999])
    assert frozen.dataset.resolution == [448, 640]


def test_a_hub_id_stays_one(run: RunDirectory) -> None:
    assert run.config().model.base == "owner/model"


def damage_both(run: RunDirectory, record: bytes) -> None:
    run.record_path.write_bytes(record)
    run.config_path.unlink()


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda run: damage_both(run, b'{"what": '), "record cannot be read"),
        (lambda run: damage_both(run, b"[]"), "record cannot be read"),
        (lambda run: run.record_path.unlink(), "not a run"),
        (lambda run: run.path.rename(run.path.with_name("gone")), "no such run"),
    ],
)
def test_what_is_no_run_is_said(run: RunDirectory, damage, words: str) -> None:
    damage(run)
    with pytest.raises(WizardError, match=words) as caught:
        RunDirectory.open(run.path)
    assert caught.value.remedy


@pytest.mark.parametrize("record", [b"", b'{"what": ', b"[]", b"\0" * 300])
def test_a_damaged_record_is_told_from_the_events(run: RunDirectory, record: bytes) -> None:
    run.record_path.write_bytes(record)
    assert RunDirectory.open(run.path).record().outcome == "created"
    events = EventWriter(run.events_path)
    events.emit("started", what="train", version="0.1", attempt=3)
    assert (run.record().outcome, run.record().attempts) == ("running", 3)
    events.emit("failed", title="No base", message="/no/model", remedy="Download it.")
    told = run.record()
    assert (told.outcome, told.version, told.exit_code) == ("failed", "0.1", 1)
    assert told.error == {"title": "No base", "message": "/no/model", "remedy": "Download it."}
    events.emit("started", what=7, version=None, attempt="4", time="never")
    assert run.record().what == "train"


def test_a_damaged_configuration_is_said(run: RunDirectory) -> None:
    run.config_path.write_text("[model")
    with pytest.raises(WizardError, match="cannot be used"):
        run.config()


def test_a_record_of_a_later_version_is_read(run: RunDirectory) -> None:
    values = json.loads(run.record_path.read_bytes())
    run.record_path.write_text(json.dumps(values | {"later": True}))
    assert run.record().what == "train"


def test_a_folder_that_cannot_be_made_is_said(config: RunConfig, tmp_path: Path) -> None:
    (tmp_path / "output").write_bytes(b"a file")
    with pytest.raises(WizardError, match="cannot be made"):
        RunDirectory.create(config)


def test_a_run_that_cannot_be_written_leaves_nothing(
    config: RunConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    (tmp_path / "output").mkdir()
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(WriteError):
        RunDirectory.create(config)
    assert list((tmp_path / "output").iterdir()) == []


def test_runs_are_found_by_path_by_name_and_as_the_latest(
    config: RunConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(WizardError, match="no run yet"):
        find_run()
    first, second = RunDirectory.create(config), RunDirectory.create(config)
    assert find_run().path == second.path
    assert find_run("mika").path == first.path
    monkeypatch.chdir(tmp_path / "output")
    assert find_run("mika-2").path == find_run(str(second.path)).path == second.path
    with pytest.raises(WizardError, match="no such run"):
        find_run("nobody")
    second.path.rename(tmp_path / "moved")
    assert find_run().path == first.path
    assert find_run(tmp_path / "moved").name == "moved"


def test_a_name_of_two_runs_is_not_guessed(config: RunConfig, tmp_path: Path) -> None:
    output = config.output.model_copy(update={"folder": str(tmp_path / "elsewhere")})
    RunDirectory.create(config)
    RunDirectory.create(config.model_copy(update={"output": output}))
    with pytest.raises(WizardError, match="Several") as caught:
        find_run("mika")
    assert "elsewhere" in caught.value.message


def test_runs_work_where_nothing_can_be_remembered(
    config: RunConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/dev/null/state")
    directory = RunDirectory.create(config)
    assert known_runs() == []
    assert find_run(directory.path).path == directory.path


def test_the_manifest_gains_and_loses_files(run: RunDirectory) -> None:
    assert run.manifest() == {}
    run.note_files({"a": {"sha256": "1"}, "b": {"sha256": "2"}})
    run.note_files({"c": {"sha256": "3"}}, removed=["a"])
    assert run.manifest() == {"b": {"sha256": "2"}, "c": {"sha256": "3"}}
    os.truncate(run.manifest_path, 5)
    assert run.manifest() == {}
