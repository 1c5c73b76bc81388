"""What the dataset step works out without a screen."""

from __future__ import annotations

from pathlib import Path

import pytest
from datasets import write_picture, write_pictures
from lora_wizard.core.errors import Mend, Problem
from lora_wizard.tui.walk import concepts, review
from lora_wizard.tui.walk import dataset as step
from lora_wizard.tui.walk.assessment import Assessment, Assessor
from lora_wizard.tui.walk.draft import Draft


def assessed(draft: Draft) -> Assessment:
    return Assessor().assess(draft.snapshot())


def begun(folder: Path | str) -> Draft:
    draft = Draft.new("face")
    draft.put("model.base", "embedded:demo")
    draft.put("dataset.folder", str(folder))
    return draft


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("mika", "mkwx"),
        ("Mika woman", "mkwx"),
        ("B\u00f6rg!", "brgwx"),
        ("pictures", "ohwx"),
        ("", "ohwx"),
        ("\u7f8e\u5496", "ohwx"),
    ],
)
def test_a_trigger_word_that_means_nothing(name: str, word: str) -> None:
    assert step.propose_trigger(name) == word


def test_the_folder_names_say_class_and_subject_only_once(home: Path) -> None:
    write_pictures(home / "set" / "10_mika woman", 2, "x")
    draft = begun("set")
    plan = assessed(draft).plan
    assert plan
    step.propose_subject(draft, plan)
    assert (draft.fact("subject"), draft.fact("class_word")) == ("person", "woman")
    draft.note("class_word", "lady")
    step.propose_subject(draft, plan)
    assert draft.fact("class_word") == "lady"
    step.choose_subject(draft, "style")
    assert draft.fact("class_word") == "lady", "what was typed stays"


def test_repeats_turn_where_they_are_said(home: Path) -> None:
    write_pictures(home / "set" / "10_mika", 2, "x")
    write_pictures(home / "set" / "2_rest", 2, "x")
    write_pictures(home / "flat", 2, "x")
    flat = begun("flat")
    rows = step.concept_rows(assessed(flat).plan)
    concepts.turn_repeats(flat, rows, rows[0], 1)
    concepts.turn_repeats(flat, rows, rows[0], 1)
    assert flat.value("dataset.repeats") == 32 and flat.value("dataset.concepts") == []
    named = begun("set")
    rows = step.concept_rows(assessed(named).plan)
    concepts.turn_repeats(named, rows, rows[0], 1)
    after = step.concept_rows(assessed(named).plan)
    assert [(row.summary.name, row.summary.repeats) for row in after] == [("mika", 11), ("rest", 2)]
    concepts.drop_concept(named, after, after[0])
    last = step.concept_rows(assessed(named).plan)
    assert [row.summary.name for row in last] == ["rest"]
    concepts.drop_concept(named, last, last[0])
    assert [row.summary.name for row in step.concept_rows(assessed(named).plan)] == ["rest"]


def test_class_pictures_say_what_they_change_in_steps(home: Path) -> None:
    write_pictures(home / "flat", 4, "x")
    write_pictures(home / "reg", 4)
    draft = begun("flat")
    assert step.regularization_text(assessed(draft)) == ""
    draft.put("dataset.regularization_folder", "reg")
    assert step.regularization_text(assessed(draft)) == (
        "1200 steps with class pictures, 600 without"
    )


def test_of_many_broken_files_a_few_are_named_and_the_way_out(home: Path) -> None:
    offer = (Mend("Leave them out", {}),)
    broken = [Problem("broken", f"/x/{number}.jpg") for number in range(99)]
    found = step.settled([*broken, Problem("broken", "/x/last.jpg", remedy="TOML", mends=offer)])
    assert len(found) == 4 and found[-1].mends == offer and not found[-1].remedy


def test_sizes_go_from_the_smallest_to_the_largest_of_each_folder(home: Path) -> None:
    for folder, sizes in (("3_a", [(640, 512), (512, 512)]), ("1_b", [(768, 512)])):
        for number, size in enumerate(sizes):
            write_picture(home / "set" / folder / f"{number}.png", size)
    rows = step.concept_rows(assessed(begun("set")).plan)
    assert {row.summary.name: row.sizes for row in rows} == {"a": "512x512-640x512", "b": "768x512"}


def test_what_one_folder_had_is_no_difference_of_several(home: Path) -> None:
    for name in ("2_mika", "3_rest"):
        write_pictures(home / "set" / name, 2, "x")
    draft = begun("set")
    rows = step.concept_rows(assessed(draft).plan)
    concepts.turn_repeats(draft, rows, rows[0], 3)
    assert draft.value("dataset.concepts")
    labels = [label for label, _, _ in review.difference_lines(draft)]
    assert "Repeats" not in labels and "Pictures" not in labels
    assert len([label for label in labels if "older" in label or "oncept" in label]) == 1, labels
