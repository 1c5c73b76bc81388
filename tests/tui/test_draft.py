"""A draft: a TOML by hand comes back, presets change, what the wizard writes is what runs."""

from __future__ import annotations

from pathlib import Path

import pytest
from form_walks import ready_draft
from lora_wizard.core.config import configfile
from lora_wizard.core.templates import find
from lora_wizard.tui.walk import proposals
from lora_wizard.tui.walk.draft import Draft
from lora_wizard.tui.walk.presets import presets

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
    assert draft.value("network.rank") == 32
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
