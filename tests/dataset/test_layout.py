"""Folders as people lay them out, with the slips that cost them most time."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from datasets import SPEC, make_config, write_picture, write_pictures
from lora_wizard.core.config import configfile
from lora_wizard.core.dataset.build import build_plan, verify_plan
from lora_wizard.core.dataset.plan import DatasetPlan
from lora_wizard.core.errors import Problem
from plans import errors_of, found, plan_of, said


def test_a_flat_folder(tmp_path: Path) -> None:
    write_pictures(tmp_path / "mika", 3, "smiling")
    plan = plan_of(tmp_path / "mika", repeats=4)
    assert found(plan) == {"mika": (3, 4)}
    assert [sample.id for sample in plan.samples] == ["mika/00.png", "mika/01.png", "mika/02.png"]
    assert {sample.caption for sample in plan.samples} == {"smiling"}


def test_folders_named_by_their_repeats_and_their_shares(tmp_path: Path) -> None:
    write_pictures(tmp_path / "2_HighRes", 20, "a")
    write_pictures(tmp_path / "1_LowRes", 10, "b")
    plan = plan_of(tmp_path)
    assert found(plan) == {"LowRes": (10, 1), "HighRes": (20, 2)}
    assert [item.share for item in plan.concepts] == [0.2, 0.8]


def test_several_concepts_with_names_and_trigger_words(tmp_path: Path) -> None:
    write_pictures(tmp_path / "a", 2, "x")
    write_pictures(tmp_path / "b", 1, "x")
    concepts = [
        {"folder": str(tmp_path / "a"), "repeats": 3, "name": "cat", "trigger_words": ["mika"]},
        {"folder": str(tmp_path / "b")},
    ]
    plan = plan_of(None, {"trigger_words": ["all"]}, concepts=concepts)
    assert found(plan) == {"cat": (2, 3), "b": (1, 1)}
    assert {sample.concept: sample.trigger_words for sample in plan.samples} == {
        "cat": ("mika",),
        "b": ("all",),
    }


def test_concepts_of_one_name_keep_their_pictures_apart(tmp_path: Path) -> None:
    write_pictures(tmp_path / "1_cat", 2)
    write_pictures(tmp_path / "2_cat", 2)
    ids = [sample.id for sample in plan_of(tmp_path).samples]
    assert len(set(ids)) == 4


def test_ids_do_not_change_when_the_dataset_moves(tmp_path: Path) -> None:
    write_pictures(tmp_path / "one/5_cat", 2)
    before = [sample.id for sample in plan_of(tmp_path / "one").samples]
    shutil.move(tmp_path / "one", tmp_path / "two")
    assert [sample.id for sample in plan_of(tmp_path / "two").samples] == before


def test_regularization_folders_flat_and_named(tmp_path: Path) -> None:
    write_pictures(tmp_path / "img/10_mika cat", 3, "mika cat")
    write_pictures(tmp_path / "reg/1_cat", 4)
    write_pictures(tmp_path / "flat", 2)
    words = {"trigger_words": ["mika"]}
    for folder, name, count in (("reg", "cat", 4), ("flat", "flat", 2)):
        plan = plan_of(tmp_path / "img", words, regularization_folder=str(tmp_path / folder))
        regularization = plan.regularization_samples
        assert {(item.concept, item.caption) for item in regularization} == {(name, name)}
        assert len(regularization) == count
        assert {item.trigger_words for item in regularization} == {()}
        assert found(plan)["mika cat"] == (3, 10)


def test_the_named_folder_itself(tmp_path: Path) -> None:
    write_pictures(tmp_path / "10_mika", 2)
    plan = plan_of(tmp_path / "10_mika")
    assert found(plan) == {"mika": (2, 10)}
    assert "10_mika" in said(plan, "note")
    assert found(plan_of(tmp_path / "10_mika", repeats=3)) == {"mika": (2, 3)}


def test_the_named_folder_means_the_same_in_the_runs_own_toml(tmp_path: Path) -> None:
    write_pictures(tmp_path / "10_mika", 2)
    config = make_config(dataset={"folder": str(tmp_path / "10_mika")})
    again = configfile.loads(configfile.dumps(config), tmp_path)
    assert build_plan(again, SPEC).samples == build_plan(config, SPEC).samples


def test_a_year_is_not_repeats(tmp_path: Path) -> None:
    write_pictures(tmp_path / "2024_holiday", 2)
    assert found(plan_of(tmp_path / "2024_holiday")) == {"holiday": (2, 1)}


def test_one_level_too_high(tmp_path: Path) -> None:
    write_pictures(tmp_path / "img/10_mika", 2)
    (problem,) = errors_of(tmp_path)
    assert "one level too high" in problem.message
    assert f'dataset.folder = "{tmp_path / "img"}"' in problem.remedy
    write_pictures(tmp_path / "reg/1_cat", 2)
    (problem,) = errors_of(tmp_path)
    assert f'dataset.folder = "{tmp_path / "img"}"' in problem.remedy
    assert f'regularization_folder = "{tmp_path / "reg"}"' in problem.remedy


@pytest.mark.parametrize("name", ["mika_10", "10 mika", "10-mika", "10mika", "mika 10"])
def test_a_name_the_wrong_way_round_is_answered_with_toml_that_works(
    name: str, tmp_path: Path
) -> None:
    write_pictures(tmp_path / name, 2)
    (problem,) = errors_of(tmp_path)
    assert name in problem.message
    toml = problem.remedy[problem.remedy.index("[[dataset") :]
    config = configfile.loads(f'{toml}\n[model]\nbase = "owner/name"\n', tmp_path)
    (concept,) = build_plan(config, SPEC).concepts
    assert (concept.images, concept.repeats) == (2, 10)


def test_pictures_beside_the_named_folders(tmp_path: Path) -> None:
    write_pictures(tmp_path, 3)
    write_pictures(tmp_path / "5_mika", 2)
    write_pictures(tmp_path / "style", 1)
    plan = plan_of(tmp_path)
    assert found(plan) == {"mika": (2, 5)}
    assert "3 pictures beside the N_name folders" in said(plan)
    assert "style" in said(plan)


def test_pictures_further_down(tmp_path: Path) -> None:
    write_pictures(tmp_path / "set", 2)
    write_pictures(tmp_path / "set/more", 2)
    plan = plan_of(tmp_path / "set")
    assert found(plan) == {"set": (2, 1)}
    assert "more" in said(plan)


def test_folders_that_are_listed_are_no_forgotten_ones(tmp_path: Path) -> None:
    write_pictures(tmp_path / "both", 1)
    write_pictures(tmp_path / "both/mika", 1)
    write_pictures(tmp_path / "both/zibbu", 1)
    listed = [{"folder": str(tmp_path / "both")}, {"folder": str(tmp_path / "both/mika")}]
    told = said(plan_of(None, concepts=listed))
    assert "not used: zibbu." in told
    listed.append({"folder": str(tmp_path / "both/zibbu")})
    assert "also holds" not in said(plan_of(None, concepts=listed))


def test_a_folder_without_pictures_says_what_it_has(tmp_path: Path) -> None:
    (tmp_path / "a.heic").write_text("x")
    (tmp_path / "b.heic").write_text("x")
    (problem,) = errors_of(tmp_path)
    assert "2 x .heic" in problem.message
    assert ".jpeg" in problem.remedy


def test_missing_folders_and_files_instead_of_folders(tmp_path: Path) -> None:
    write_pictures(tmp_path / "pictures", 1)
    (problem,) = errors_of(tmp_path / "picturs")
    assert f"Did you mean {tmp_path / 'pictures'}?" in problem.remedy
    (problem,) = errors_of(tmp_path / "pictures/00.png")
    assert str(tmp_path / "pictures") in problem.remedy


def test_zero_repeats_and_empty_folders_are_told(tmp_path: Path) -> None:
    write_pictures(tmp_path / "0_off", 1)
    write_pictures(tmp_path / "3_on", 1)
    (tmp_path / "2_empty").mkdir()
    plan = plan_of(tmp_path)
    assert found(plan) == {"on": (1, 3)}
    assert "0_off" in said(plan)
    assert "2_empty" in said(plan)


def test_every_error_comes_at_once(tmp_path: Path) -> None:
    write_pictures(tmp_path / "1_a", 2)
    write_picture(tmp_path / "1_a/00.jpg")
    (tmp_path / "1_a/bad1.png").write_bytes(b"")
    (tmp_path / "1_a/bad2.jpg").write_text("no")
    problems = errors_of(tmp_path, regularization_folder=str(tmp_path / "nowhere"))
    text = "\n".join(f"{item.where} {item.message}" for item in problems)
    assert len(problems) == 4
    for word in ("bad1.png", "bad2.jpg", "nowhere", "00.jpg and 00.png would share"):
        assert word in text


def test_the_dataset_is_never_written(tmp_path: Path) -> None:
    write_pictures(tmp_path / "1_a", 3)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    verify_plan(plan_of(tmp_path))
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_no_two_pictures_share_an_id_whatever_their_concepts_are_called(tmp_path: Path) -> None:
    names = ("mika", "mika", "mika#2", "regularization:mika", "mika")
    for index in range(len(names)):
        write_pictures(tmp_path / str(index), 1)
    write_pictures(tmp_path / "class" / "1_mika", 1)
    concepts = [{"folder": str(tmp_path / str(at)), "name": name} for at, name in enumerate(names)]
    plan = plan_of(None, concepts=concepts, regularization_folder=str(tmp_path / "class"))
    assert len({sample.id for sample in plan.samples}) == len(plan.samples) == 6


def mended(problem: Problem, **dataset: Any) -> DatasetPlan:
    """The plan when the first mend of ``problem`` is done."""
    for key, value in problem.mends[0].values.items():
        dataset[key.removeprefix("dataset.")] = value
    return build_plan(make_config(dataset=dataset), SPEC)


def test_what_is_offered_mends(tmp_path: Path) -> None:
    write_pictures(tmp_path / "top" / "a", 2, "x")
    write_pictures(tmp_path / "top" / "b 5", 2, "x")
    [plain] = errors_of(tmp_path / "top", repeats=7)
    assert plain.mends[0].label == "Use these 2 folders"
    assert found(mended(plain, repeats=7)) == {"a": (2, 7), "b 5": (2, 5)}
    [typo] = errors_of(tmp_path / "topp")
    assert typo.mends[0].values == {"dataset.folder": str(tmp_path / "top")}
    [file] = errors_of(tmp_path / "top" / "a" / "00.png")
    assert found(mended(file)) == {"a": (2, 1)}
    (tmp_path / "top" / "a" / "01.png").write_bytes(b"broken")
    [broken] = errors_of(tmp_path / "top" / "a")
    assert found(mended(broken, folder=str(tmp_path / "top" / "a"))) == {"a": (1, 1)}


def test_one_level_too_high_or_too_low_is_offered(tmp_path: Path) -> None:
    write_pictures(tmp_path / "project" / "img" / "10_mika", 2, "x")
    write_pictures(tmp_path / "project" / "img" / "2_rest", 2, "x")
    write_pictures(tmp_path / "project" / "reg" / "1_woman", 2)
    [high] = errors_of(tmp_path / "project")
    assert found(mended(high)) == {"mika": (2, 10), "rest": (2, 2), "woman": (2, 1)}
    low = plan_of(tmp_path / "project" / "img" / "10_mika")
    [note] = [item for item in low.problems if item.mends]
    assert found(mended(note)) == {"mika": (2, 10), "rest": (2, 2)}


def test_pictures_in_folders_within_folders_are_all_offered(tmp_path: Path) -> None:
    for name in (".", "trip", "trip/day 1", "trip/day 2", "3_sea"):
        write_pictures(tmp_path / "raw" / name, 2)
    # The folder itself has pictures, and one of those in it is named like kohya's.
    (tmp_path / "raw/3_sea").rename(tmp_path / "raw/sea_3")
    [warning] = [item for item in plan_of(tmp_path / "raw").problems if item.mends]
    [offer] = warning.mends
    listed = {
        Path(item["folder"]).name: item["repeats"] for item in offer.values["dataset.concepts"]
    }
    # Numbers that tell days apart are no repeats.
    assert listed == {"raw": 1, "trip": 1, "day 1": 1, "day 2": 1, "sea_3": 3}


def test_a_folder_that_is_left_out_altogether_is_no_mistake(tmp_path: Path) -> None:
    write_pictures(tmp_path / "a", 2, "x")
    write_pictures(tmp_path / "b", 1, "x")
    concepts = [{"folder": str(tmp_path / "a")}, {"folder": str(tmp_path / "b")}]
    plan = plan_of(None, concepts=concepts, exclude=["b/*"])
    assert found(plan) == {"a": (2, 1)}
    assert "All pictures of" in said(plan, "note")
    [error] = errors_of(tmp_path / "a", exclude=["*.png"])
    assert "are left out" in error.message and "dataset.exclude" in error.remedy
