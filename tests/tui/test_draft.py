"""A draft: a TOML by hand comes back, presets change, what the wizard writes is what runs."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from form_walks import ready_draft
from lora_wizard.core.config import configfile
from lora_wizard.core.templates import find
from lora_wizard.tui.walk import proposals
from lora_wizard.tui.walk.dataset import mend
from lora_wizard.tui.walk.draft import Draft, drafts
from lora_wizard.tui.walk.presets import presets
from lora_wizard.tui.walk.steps import step_of

BY_HAND = (
    "\ufefftraining.epochs = 3 # few\r\n"
    "optimizer = { learning_rate = 1e-4 , name='adamw' }\r\n\r\n"
    "[output] # where\r\nname  =  'mika'   # of her\r\nfoldr = 'x'\r\n"
    "[model]\r\nbase = 'embedded:demo'\r\n[samples]\r\nprompts = [ # some\r\n 'a, b',\r\n]"
)


def opened(home: Path) -> Draft:
    toml = home / "mika.toml"
    toml.write_bytes(BY_HAND.encode())
    return Draft.of_file(toml)


def test_a_toml_by_hand_is_saved_as_it_was(home: Path) -> None:
    draft = opened(home)
    for key, text, back in (
        ("training.epochs", "5", "3"),
        ("optimizer.learning_rate", "x", "0.0001"),
        ("output.name", "../", "mika"),
        ("network.alpha", "8", ""),
        ("samples.prompts", "", "a, b"),
        ("training.seed", "7", "42"),
    ):
        draft.enter(key, text)
        draft.enter(key, back)
    assert draft.source is not None
    draft.save_as(draft.source)
    assert draft.source.read_bytes() == BY_HAND.encode()
    draft.enter("training.epochs", "4")
    draft.enter("optimizer.betas", "0.9, 0.95")
    draft.save_as(draft.source)
    wanted = BY_HAND.replace("= 3 #", "= 4 #").replace(
        "{ learning_rate = 1e-4 , name='adamw' }",
        "{ learning_rate = 1e-4, name='adamw', betas = [0.9, 0.95] }",
    )
    assert draft.source.read_bytes() == wanted.encode()


def test_an_unknown_key_is_kept_and_said_with_what_was_meant(home: Path) -> None:
    problems = opened(home).snapshot().read().problems
    assert [(item.where, item.remedy) for item in problems if "foldr" in item.where] == [
        ("output.foldr", "Did you mean folder?")
    ]


def test_what_is_saved_is_what_train_reads_in_any_folder(home: Path) -> None:
    draft = ready_draft(home)
    draft.put("dataset.folder", "pictures")
    config = draft.config()
    elsewhere = home / "other" / "mika.toml"
    draft.save_as(elsewhere)
    assert configfile.load(elsewhere) == config == draft.config()
    assert Draft.load(draft.path).text == draft.text


@pytest.mark.parametrize("preset", presets(), ids=lambda preset: preset.name)
def test_another_preset_keeps_what_was_set_and_the_way_back_loses_nothing(
    preset: object, home: Path
) -> None:
    name = str(getattr(preset, "name", ""))
    draft = Draft.new("face")
    draft.enter("network.rank", "8")
    draft.enter("output.comment", "mine")
    draft.enter("training.epochs", "none")
    before = draft.text
    told = {info.key: then for info, _, then in draft.changes_by(name)}
    draft.apply(name)
    assert draft.value("network.rank") == 8
    assert draft.value("output.comment") == "mine"
    assert draft.shown("training.epochs") == "none"
    assert {key: draft.value(key) for key in told} == told
    assert Draft.load(draft.path).text == draft.text
    draft.apply("face")
    assert draft.text == before
    draft.revert("network.rank")
    draft.revert("output.comment")
    draft.revert("training.epochs")
    assert draft.text == find("face").text


def test_a_preset_only_fills_in_what_a_toml_by_hand_leaves_open(home: Path) -> None:
    draft = opened(home)
    draft.apply("style")
    assert draft.value("training.epochs") == 3
    assert draft.value("optimizer.learning_rate") == 1e-4
    assert draft.value("network.rank") == 128
    assert draft.shown("dataset.folder") == ""
    for info, _, _ in draft.differences():
        draft.revert(info.key)
    assert draft.text == BY_HAND.removeprefix("\ufeff")


def test_proposals_follow_from_trigger_word_class_and_subject(home: Path) -> None:
    draft = Draft.new("face")
    assert proposals.sample_prompts(draft) == []
    assert proposals.output_name(draft) == ""
    draft.put("captions.trigger_words", ["Mika/..ohwx", "red dress"])
    draft.note("class_word", "astronaut")
    assert proposals.next_prompt(draft) == "Mika/..ohwx, a photo of an astronaut"
    assert proposals.output_name(draft) == "Mika-ohwx"
    assert proposals.output_comment(draft) == "trigger: Mika/..ohwx, red dress"
    draft.put("samples.prompts", [f"{proposals.next_prompt(draft)} --w 512"])
    assert "painting" in proposals.next_prompt(draft)
    draft.note("subject", "style")
    assert "astronaut" not in proposals.next_prompt(draft)


def test_an_access_token_is_never_kept(home: Path) -> None:
    draft = Draft.new("face")
    token = "hf_" + "aB3" * 11
    for end in range(1, len(token) + 1):
        draft.enter("output.comment", f"mine {token[:end]}")
    draft.put("samples.prompts", [token])
    draft.note("class_word", token)
    assert draft.shown("output.comment") == f"mine {token}"
    assert "access token" in str(draft.problem("output.comment"))
    assert token[:12] not in draft.path.read_text()
    assert token[:12] not in draft.text
    assert Draft.load(draft.path).shown("output.comment") == ""
    draft.enter("output.comment", "mine")
    assert draft.problem("output.comment") is None
    assert Draft.load(draft.path).shown("output.comment") == "mine"


def test_a_draft_that_cannot_be_kept_says_so_once(home: Path) -> None:
    draft = Draft.new("face")
    draft.enter("output.name", "one")
    assert draft.take_trouble() == ""
    folder = draft.path.parent
    shutil.rmtree(folder)
    folder.write_bytes(b"")
    draft.enter("output.name", "two")
    assert "is not kept" in draft.take_trouble()
    draft.enter("output.name", "three")
    assert draft.take_trouble() == ""
    folder.unlink()
    draft.enter("output.name", "four")
    assert draft.take_trouble() == ""
    assert Draft.load(draft.path).name == "four"


@pytest.mark.parametrize(
    "wrong",
    [
        b"",
        b"[" * 100_000,
        b"\xff",
        b"[]",
        b"{}",
        {"changed": "now"},
        {"text": 5},
        {"text": "x ="},
        {"pending": {"training.epochs": 3}},
        {"pending": {"no.such": "3"}},
        {"facts": []},
        {"own": {"training.epochs": {"a": None}}},
        {"source": None},
    ],
    ids=str,
)
def test_a_damaged_draft_is_no_draft_and_spoils_no_list(
    wrong: bytes | dict[str, object], home: Path
) -> None:
    draft, other = Draft.new("face"), Draft.new("face")
    draft.keep()
    other.keep()
    if isinstance(wrong, dict):
        wrong = json.dumps(json.loads(draft.path.read_bytes()) | wrong).encode()
    draft.path.write_bytes(wrong)
    for found in drafts():
        found.snapshot()
        found.differences()
        assert found.name
    assert other.path in [found.path for found in drafts()]


def test_a_toml_that_was_changed_elsewhere_is_not_simply_written_over(home: Path) -> None:
    draft = opened(home)
    assert draft.source is not None
    assert draft.may_write(draft.source)
    draft.enter("output.name", "mine")
    draft.save_as(draft.source)
    assert Draft.load(draft.path).may_write(draft.source)
    draft.source.write_text(draft.source.read_text() + "# mine too\n")
    assert not draft.may_write(draft.source)
    assert not Draft.load(draft.path).may_write(draft.source)
    assert draft.may_write(home / "new.toml")


def several(home: Path) -> Draft:
    """Of two folders, what was typed as the repeats of the second is no number."""
    draft = Draft.new("face")
    folders = [{"folder": str(home / name), "repeats": 5} for name in ("mika", "hat")]
    draft.put("dataset.concepts", folders)
    problem = draft.enter("dataset.concepts[1].repeats", "1o")
    assert problem and problem.where == "dataset.concepts[1].repeats"
    return draft


def test_what_was_typed_for_one_of_several_folders_is_kept(home: Path) -> None:
    key = "dataset.concepts[1].repeats"
    draft = Draft.load(several(home).path)
    assert draft.shown(key) == "1o"
    assert draft.value(key) == 5
    assert [item.where for item in draft.snapshot().pending] == [key]
    draft.enter("dataset.concepts[0].repeats", "7")
    assert draft.shown(key) == "1o", "another folder's repeats change nothing here"
    assert draft.enter(key, "10") is None
    assert [table["repeats"] for table in draft.value("dataset.concepts")] == [7, 10]
    assert Draft.load(draft.path).snapshot().pending == ()


def test_a_list_that_is_another_one_forgets_what_was_typed_into_its_fields(home: Path) -> None:
    draft = several(home)
    draft.put("dataset.concepts", draft.value("dataset.concepts")[:1])
    assert draft.snapshot().pending == ()
    draft.enter("dataset.concepts[1].repeats", "3")
    assert [table["repeats"] for table in draft.value("dataset.concepts")] == [5]


def test_repeats_that_are_no_number_can_be_left_as_they_were(home: Path) -> None:
    draft = several(home)
    (problem,) = draft.snapshot().pending
    assert step_of(problem.where).name == "repeats"
    mend(draft, problem.mends[0])
    assert draft.snapshot().pending == ()
    assert [table["repeats"] for table in draft.value("dataset.concepts")] == [5, 5]
