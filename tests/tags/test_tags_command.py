"""`lora-wizard tags` on real files."""

from __future__ import annotations

import codecs
import json
import shutil
from pathlib import Path

import pytest
from hostile import TEXTS
from lora_wizard.core.config import RunConfig
from lora_wizard.core.tags.changes import pending
from lora_wizard.core.tags.edits import Remove
from lora_wizard.core.tags.entries import read
from lora_wizard.core.tags.kinds import KINDS
from lora_wizard.tui.cli import main
from tagged import tagged_pictures

PICTURE = Path(__file__).resolve().parents[2] / "templates/demo/pictures/zibbu-01.png"


@pytest.fixture
def pictures(home: Path) -> Path:
    return tagged_pictures(home / "zibbu")


@pytest.fixture
def odd(home: Path) -> Path:
    """Captions of every kind of file."""
    folder = home / "odd"
    folder.mkdir()
    files = {
        "a.txt": "ginger, solo, caf\xe9".encode("cp1252"),
        "b.txt": codecs.BOM_UTF8 + "ginger,solo,\tcafé\r\n".encode(),
        "c.caption": b"ginger, solo\n\nhat, solo\n",
        "d.txt": codecs.BOM_UTF16_LE + "ginger, tea, solo".encode("utf-16-le"),
        "e.txt": b"ginger , tea ,,  hat\n\n",
    }
    for name, data in files.items():
        (folder / name).write_bytes(data)
        shutil.copy(PICTURE, folder / f"{name[0]}.png")
    for name in "fg":
        shutil.copy(PICTURE, folder / f"{name}.png")
    lines = [{"file_name": "f.png", "text": "ginger, solo, tree"}]
    (folder / "metadata.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.name: path.read_bytes()
        for path in folder.iterdir()
        if path.suffix in (".txt", ".caption", ".jsonl")
    }


def texts(folder: Path) -> list[str]:
    return [path.read_text() for path in sorted(folder.glob("*.txt"))]


def tags(*words: object) -> int:
    return main(["tags", *map(str, words)])


def test_the_table_is_printed(pictures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert tags(pictures) == 0
    said = capsys.readouterr().out
    assert "16 captions, 12 tags: lists of tags" in said
    rows = {line.split("  ")[1].strip(): line.split() for line in said.splitlines() if "%" in line}
    assert rows["blue_hair"][1:4] == ["15", "94%", "3.0"]
    assert rows["blue_hair"][4:] == ["proposed:", "prune"]
    assert "zibbu begins every caption" in said
    assert "2 tags have underscores" in said


def test_programs_get_everything(pictures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert tags(pictures, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    by_name = {tag["tag"]: tag for tag in found["tags"]}
    assert len(by_name["hat"]["pictures"]) == by_name["hat"]["captions"] == 8
    assert by_name["1girl"]["proposed"]
    assert found["kind"] == "tags"
    assert found["longest"]["max_tokens"] == 75


def test_pruning_is_seen_first_and_undone_after(
    pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = contents(pictures)
    assert tags(pictures, "--subject") == 0
    assert "blue_hair: in 15 of 16" in capsys.readouterr().out
    assert tags(pictures, "--prune", "--spare", "1GIRL", "--dry-run") == 0
    assert "15 of 16 captions would change" in capsys.readouterr().out
    assert contents(pictures) == before
    assert tags(pictures, "--prune", "--spare", "1GIRL") == 0
    assert texts(pictures)[0] == "zibbu, 1girl, Simple background, smile, outdoors, hat\n"
    assert contents(pictures)["zibbu-03.txt"] == before["zibbu-03.txt"]
    assert tags(pictures, "--undo") == 0
    assert contents(pictures) == before


def test_changes_are_made_in_the_order_that_is_told(
    pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--trigger-words", "zibbu, sks", "--remove", "hat", "--underscores"]
    words += ["--replace", "blue hair=azure hair", "--replace", "tree=oak", "--first", "oak"]
    words += ["--add", "end", "--add-front", "front", "--duplicates"]
    assert tags(pictures, *words) == 0
    assert texts(pictures)[3] == (
        "zibbu, sks, oak, front, 1girl, azure hair, Simple background, outdoors, open mouth, end\n"
    )
    assert 'captions.trigger_words = ["zibbu", "sks"]' in capsys.readouterr().out
    before = contents(pictures)
    assert tags(pictures, *words) == 0
    assert "No caption changes" in capsys.readouterr().out
    assert contents(pictures) == before


def test_help_names_every_change_in_its_order(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        tags("--help")
    said = capsys.readouterr().out.partition("changes, made in this order")[2]
    places = [said.index(f"  --{kind.name}") for kind in KINDS]
    assert places == sorted(places)


def test_the_guide_names_every_change_in_its_order() -> None:
    guide = (PICTURE.parents[3] / "docs/guide.md").read_text()
    rows = [line for line in guide.splitlines() if line.startswith("| `--")]
    told = [f" {kind.example}" if kind.example else "" for kind in KINDS]
    assert rows == [
        f"| `--{kind.name}{example}` | {kind.help} |"
        for kind, example in zip(KINDS, told, strict=True)
    ]


def test_several_changes_are_undone_one_by_one(pictures: Path) -> None:
    states = [contents(pictures)]
    for words in (["--remove", "hat"], ["--underscores"], ["--keep", "smile"]):
        assert tags(pictures, *words) == 0
        states.append(contents(pictures))
    for state in reversed(states[:-1]):
        assert tags(pictures, "--undo") == 0
        assert contents(pictures) == state


def test_every_encoding_is_changed_and_comes_back(odd: Path) -> None:
    before = contents(odd)
    assert tags(odd, "--remove", "solo") == 0
    now = contents(odd)
    assert now["a.txt"].decode() == "ginger, café\n"
    assert now["b.txt"].decode() == "ginger,\tcafé\n"
    assert now["c.caption"] == b"ginger, solo hat\n"
    assert now["d.txt"] == b"ginger, tea\n"
    assert now["e.txt"] == before["e.txt"]
    assert tags(odd, "--undo") == 0
    assert contents(odd) == before


def test_lines_stay_where_they_are_alternatives(odd: Path) -> None:
    wild = ["--set", "captions.wildcards=true"]
    assert tags(odd, *wild, "--remove", "solo") == 0
    assert (odd / "c.caption").read_bytes() == b"ginger\nhat\n"


def test_a_table_of_captions_stays_and_a_file_beside_the_picture_takes_its_place(
    odd: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = (odd / "metadata.jsonl").read_bytes()
    assert tags(odd, "--remove", "tree") == 0
    assert "stands in metadata.jsonl, which stays as it is" in capsys.readouterr().out
    assert (odd / "metadata.jsonl").read_bytes() == table
    assert (odd / "f.txt").read_text() == "ginger, solo\n"
    assert not (odd / "g.txt").exists()
    assert tags(odd, "--undo") == 0
    assert not (odd / "f.txt").exists()


def test_a_toml_gives_trigger_words_and_the_regularization_pictures_stay(
    pictures: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    classes = home / "classes"
    classes.mkdir()
    shutil.copy(PICTURE, classes / "one.png")
    (classes / "one.txt").write_text("1girl, hat\n")
    toml = home / "run.toml"
    toml.write_text(
        '[model]\nbase = "embedded:demo"\n[captions]\ntrigger_words = ["sks", "zibbu"]\n'
        '[dataset]\nfolder = "zibbu"\nregularization_folder = "classes"\n'
    )
    assert tags(toml, "--remove", "1girl", "--trigger-words") == 0
    assert texts(pictures)[0].startswith("sks, zibbu, blue_hair, Simple")
    assert (classes / "one.txt").read_text() == "1girl, hat\n"
    capsys.readouterr()
    assert tags(toml) == 0
    # Counted by the demo's own tokenizer.
    assert "Longest caption: at least" not in capsys.readouterr().out
    assert tags(toml, "--regularization", "--remove", "1girl") == 0
    assert (classes / "one.txt").read_text() == "hat\n"


def test_one_concept_at_a_time(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = home / "set"
    for name in ("2_alice", "3_bob"):
        (folder / name).mkdir(parents=True)
        shutil.copy(PICTURE, folder / name / "one.png")
        (folder / name / "one.txt").write_text("hat, smile\n")
    assert tags(folder, "--concept", "alice", "--remove", "hat") == 0
    assert (folder / "2_alice/one.txt").read_text() == "smile\n"
    assert (folder / "3_bob/one.txt").read_text() == "hat, smile\n"
    assert tags(folder, "--concept", "carol") == 2
    assert "There are: alice, bob." in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--replace", "hat"], "Say what becomes what"),
        (["--remove", ","], "--remove names no tags"),
        (["--sort", "colour"], "by count or by name"),
        (["--trigger-words"], "There are no trigger words"),
        (["--undo", "--underscores"], "Give --undo alone"),
    ],
)
def test_slips_are_told_and_nothing_is_written(
    pictures: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    before = contents(pictures)
    assert tags(pictures, *words) == 2
    assert said in capsys.readouterr().err
    assert contents(pictures) == before


def test_a_tag_that_is_not_there_is_told(
    pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert tags(pictures, "--remove", "blue_hairs") == 0
    told = capsys.readouterr()
    assert "No caption has blue_hairs. Did you mean blue_hair?" in told.err
    assert "No caption changes" in told.out
    assert tags(pictures, "--undo") == 0
    assert "nothing to undo" in capsys.readouterr().out


def test_what_cannot_be_written_is_named(
    pictures: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = pictures / "zibbu-01.txt"
    elsewhere = pictures / "elsewhere"
    own.rename(elsewhere)
    own.symlink_to(elsewhere)
    before = elsewhere.read_bytes()
    assert tags(pictures, "--remove", "1girl") == 1
    told = capsys.readouterr().out
    assert "zibbu-01.png is left" in told
    assert "15 written" in told
    assert elsewhere.read_bytes() == before


def test_hostile_captions_are_shown_escaped(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = home / "set"
    folder.mkdir()
    for number, text in enumerate(TEXTS):
        shutil.copy(PICTURE, folder / f"{number}.png")
        (folder / f"{number}.txt").write_text(f"hat, {text.replace(chr(0), '')}", newline="")
    for words in ([], ["--json"], ["--subject"], ["--remove", "hat"], ["--undo"]):
        assert tags(folder, *words) == 0
        said = "".join(capsys.readouterr())
        assert "zq" in said or not words or words[0] in ("--subject", "--undo")
        assert not {char for char in said if ord(char) < 32 or 0x7F <= ord(char) < 0xA0} - {"\n"}
        assert "\u202e" not in said


def test_what_a_table_says_can_be_emptied_and_what_was_typed_meanwhile_stays(home: Path) -> None:
    folder = home / "set"
    folder.mkdir()
    for name in "abc":
        shutil.copy(PICTURE, folder / f"{name}.png")
    (folder / "metadata.jsonl").write_text('{"file_name": "a.png", "text": "hat"}\n')
    (folder / "b.txt").write_text("hat, dog")
    (folder / "c.txt").write_text("hat, cow")
    config = RunConfig.model_validate(
        {"model": {"base": "embedded:demo"}, "dataset": {"folder": str(folder)}}
    )
    change = pending(read(config), [Remove(("hat",))])
    (folder / "c.txt").write_text("typed by hand")
    outcome = change.write()
    assert list(outcome.left) == [folder / "c.png"]
    captions = {entry.name: entry.caption for entry in read(config).entries}
    assert captions == {"a.png": "", "b.png": "dog", "c.png": "typed by hand"}
    assert outcome.change
    read(config).files.undo(outcome.change)
    assert [entry.caption for entry in read(config).entries] == ["hat", "hat, dog", "typed by hand"]
