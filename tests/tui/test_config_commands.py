"""`new`, `templates`, `options` and `check`, as they are called."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from lora_wizard.core.config import RunConfig, configfile
from lora_wizard.core.config.options import walk
from lora_wizard.core.templates import templates
from lora_wizard.tui.cli import main


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def said(capsys: pytest.CaptureFixture[str], *words: str, status: int = 0) -> str:
    assert main(words) == status
    captured = capsys.readouterr()
    return captured.err if status and not captured.out else captured.out


def test_new_writes_what_was_asked_for_and_keeps_the_comments(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    words = ("--dataset", "pics", "--base", "owner/name", "--set", "captions.trigger_words=mika")
    assert "mika.toml" in said(capsys, "new", "face", "--name", "mika", *words)
    text = Path("mika.toml").read_text()
    assert "16 to 32 is enough for a face (S0)" in text
    beside = [line for line in text.splitlines() if line.startswith(("trigger_words", "epochs"))]
    assert len({line.index("#") for line in beside}) == 1, "comments keep their column"
    config = configfile.load(Path("mika.toml"))
    assert config.model.base == "owner/name"
    assert config.dataset.folder == str(tmp_path / "pics")
    assert config.captions.trigger_words == ["mika"]
    assert (config.output.name, config.network.rank) == ("mika", 32)


def test_new_never_overwrites_unasked(capsys: pytest.CaptureFixture[str]) -> None:
    Path("face.toml").write_text("mine")
    assert "--force" in said(capsys, "new", "face", status=2)
    assert Path("face.toml").read_text() == "mine"
    said(capsys, "new", "face", "--force")
    assert configfile.load(Path("face.toml")).output.name == "face"


def test_new_writes_nothing_when_a_value_cannot_be_used(capsys: pytest.CaptureFixture[str]) -> None:
    error = said(
        capsys, "new", "face", "--set", "network.rnk=3", "--set", "x=1", "--set", "y", status=2
    )
    assert "rank" in error
    assert "x: " in error
    assert "y: " in error
    assert "from 1 to 1024" in said(capsys, "new", "face", "--set", "network.rank=0", status=2)
    assert "Did you mean face?" in said(capsys, "new", "fcae", status=2)
    assert list(Path().iterdir()) == []


def test_a_toml_elsewhere_means_the_same_folders(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    Path("local/base").mkdir(parents=True)
    words = ("--dataset", "pics", "--base", "local/base", "--set", "output.folder=~/out")
    said(capsys, "new", "face", "-o", "there/run.toml", *words)
    config = configfile.load(Path("there/run.toml"))
    assert config.dataset.folder == str(tmp_path / "pics")
    assert config.model.base == str(tmp_path / "local/base")
    assert config.output.folder == str(Path.home() / "out")


def test_new_prints_to_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    text = said(capsys, "new", "sd-scripts", "-o", "-")
    assert configfile.loads(text, Path("/")).training.max_steps == 400
    assert list(Path().iterdir()) == []


def test_templates_are_listed_with_their_sources(capsys: pytest.CaptureFixture[str]) -> None:
    listed = json.loads(said(capsys, "templates", "--json"))
    assert [entry["name"] for entry in listed] == [template.name for template in templates()]
    text = said(capsys, "templates")
    for entry in listed:
        assert entry["name"] in text
        assert entry["title"] in text


def test_options_explain_every_key(capsys: pytest.CaptureFixture[str]) -> None:
    text = said(capsys, "options")
    listed = json.loads(said(capsys, "options", "--json"))
    own = [entry for entry in listed if entry["key"].startswith("optimizer.arguments.")]
    assert {"d_coef", "relative_step"} <= {entry["key"].rpartition(".")[2] for entry in own}
    assert [entry["key"] for entry in listed if entry not in own] == [
        info.key for info in walk(RunConfig)
    ]
    for entry in listed:
        assert f"\n{entry['key']}\n" in text
    rank = next(entry for entry in listed if entry["key"] == "network.rank")
    assert rank["default"] == 16
    assert rank["sd_scripts"] == "network_dim"
    family = next(entry for entry in listed if entry["key"] == "model.family")
    assert "sd1" in family["choices"]


@pytest.mark.parametrize(
    ("word", "keys"),
    [
        ("training.epochs", ["training.epochs"]),
        ("rank", ["network.rank"]),
        ("network_dim", ["network.rank"]),
        ("Keep-Tokens", ["captions.keep_tokens"]),
        ("seed", ["training.seed", "samples.seed"]),
        ("d_coef", ["optimizer.arguments.d_coef"]),
        ("optimizer_args", ["optimizer.arguments"]),
        ("adamw", []),
        ("[network]", [info.key for info in walk(RunConfig) if info.section == "network"]),
    ],
)
def test_options_are_found_by_the_name_that_people_know(
    capsys: pytest.CaptureFixture[str], word: str, keys: list[str]
) -> None:
    listed = json.loads(said(capsys, "options", word, "--json"))
    assert [entry["key"] for entry in listed] == keys


def test_an_optimizer_is_explained_with_its_own_arguments(
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = said(capsys, "options", "prodigy")
    assert "learning_rate 1.0" in text and "pip install prodigyopt" in text
    assert "optimizer.arguments.d_coef\n" in text and "relative_step" not in text


def test_an_option_that_does_not_exist(capsys: pytest.CaptureFixture[str]) -> None:
    assert "training.epochs" in said(capsys, "options", "epohcs", status=2)
    assert "lora-wizard options" in said(capsys, "options", "\x1b[31mx", status=2)


def test_check_names_every_problem_with_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    Path("run.toml").write_text(
        '[model]\nbase = "nowhere"\n[dataset]\nfolder = "missing"\n[captions]\nkeep_tokens = 2\n'
    )
    text = said(capsys, "check", "run.toml", status=2)
    assert "error    line 2: model.base: " in text
    assert "error    line 4: dataset.folder: " in text
    assert "warning  line 6: captions.keep_tokens: " in text
    assert text.index("error") < text.index("warning") < text.index("note")
    found = json.loads(said(capsys, "check", "run.toml", "--json", status=2))
    assert not found["ok"]
    assert {"message", "where", "line", "remedy", "severity", "mends"} == set(found["problems"][0])


def test_check_of_a_toml_that_cannot_be_read(capsys: pytest.CaptureFixture[str]) -> None:
    Path("run.toml").write_text("[model]\nbase = mika\n")
    found = json.loads(said(capsys, "check", "run.toml", "--json", status=2))
    assert [problem["line"] for problem in found["problems"]] == [2]
    assert "cannot run yet" in said(capsys, "check", "run.toml", status=2)
    found = json.loads(said(capsys, "check", "missing.toml", "--json", status=2))
    assert "missing.toml" in found["problems"][0]["message"]


def test_check_with_values_of_the_command_line(
    capsys: pytest.CaptureFixture[str], tiny_sd: Path
) -> None:
    from PIL import Image

    Path("pictures").mkdir()
    for index in range(12):
        Image.effect_noise((64, 64 + 16 * (index % 2)), 40).save(f"pictures/{index}.png")
        Path(f"pictures/{index}.txt").write_text("mika")
    said(capsys, "new", "face", "--dataset", "pictures", "--base", str(tiny_sd))
    small = ("--set", "dataset.resolution=64", "--set", "dataset.bucket_step=16")
    assert "can run" in said(capsys, "check", "face.toml", *small)
    assert "rank" in said(capsys, "check", "face.toml", "--set", "network.rank=0", status=2)


def test_what_a_file_says_never_commands_the_terminal() -> None:
    hostile = "\\u001b]0;x\\u0007 \\u202e [/bold]"
    Path("run.toml").write_text(
        f'[model]\nbase = "x"\nfamily = "{hostile}"\n"{hostile}" = 1\n'
        f'[dataset]\nfolder = "y"\n[network]\ntype = "{hostile}"\n'
    )
    ran = subprocess.run(
        [sys.executable, "-m", "lora_wizard.tui.cli", "check", "run.toml"],
        capture_output=True,
        check=False,
    )
    assert ran.returncode == 2
    output = (ran.stdout + ran.stderr).decode()
    assert "Traceback" not in output
    assert not any(char in output for char in "\x1b\x07\u202e")


def test_help_is_found_in_either_order(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["help", "train"])
    named = capsys.readouterr().out
    with pytest.raises(SystemExit, match="0"):
        main(["train", "--help"])
    assert named == capsys.readouterr().out != ""
    assert "lora-wizard --help" in said(capsys, "tarin", status=2)


@pytest.mark.parametrize("command", [("status",), ("logs",), ("new", "face", "-o")])
def test_a_path_that_can_not_be_is_told_in_words(
    command: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    error = said(capsys, *command, "a" * 300, status=2)
    assert "File name too long" in error
    assert "Traceback" not in error
