"""Captioning by a model in a process of its own, as it goes right and wrong."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from lora_wizard.captioners.job import writing
from lora_wizard.captioners.job.pictures import find_pictures
from lora_wizard.captioners.job.reading import opened, side_of
from lora_wizard.captioners.vision_language import VisionLanguageOptions
from lora_wizard.core.dataset.caption_files import Mode
from lora_wizard.core.run import control
from lora_wizard.core.run.lock import AlreadyRunningError
from lora_wizard.core.run.status import summary
from PIL import Image
from toy_captioner import GREY

from .conftest import Captioned, text_of

PATIENCE = 30.0


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.005)


def reasons(pictures: Captioned) -> dict[str, str]:
    """Of the pictures that were left out."""
    told = (event for event in pictures.events("problem") if "where" in event)
    return {event["where"]: event["message"] for event in told}


def undo(pictures: Captioned) -> None:
    writing.undo(pictures.files, writing.latest(pictures.files))


def test_each_picture_gets_its_caption(pictures: Captioned) -> None:
    pictures.draw(5)
    assert pictures.run(batch_size=2) == 0
    assert pictures.captions() == pictures.expected(range(5))
    found = {event["picture"]: event["text"] for event in pictures.events("captioned")}
    assert found == {f"{number:05d}.png": text_of(number) for number in range(5)}
    (outcome,) = pictures.events("captions")
    assert (outcome["written"], outcome["kept"], outcome["left"]) == (5, 0, 0)
    assert set(pictures.asked.values()) == {1}


@pytest.mark.parametrize(
    ("mode", "texts", "asked"),
    [
        ("missing", ["mine", text_of(1), text_of(2)], 2),
        ("overwrite", [text_of(0), text_of(1), text_of(2)], 3),
        ("append", [f"mine, {text_of(0)}", text_of(1), text_of(2)], 3),
    ],
)
def test_what_is_there_is_kept_replaced_or_added_to_and_comes_back(
    pictures: Captioned, mode: Mode, texts: list[str], asked: int
) -> None:
    pictures.draw(3)
    pictures.caption(0).write_bytes(b"mine")
    pictures.caption(1).write_bytes(b" \n")
    assert pictures.run(mode) == 0
    assert pictures.captions() == dict(enumerate(texts))
    assert pictures.asked.total() == asked
    assert len(writing.latest(pictures.files)) == 1
    undo(pictures)
    assert pictures.caption(0).read_bytes() == b"mine"
    assert pictures.caption(1).read_bytes() == b" \n"
    assert not pictures.caption(2).exists()


def test_the_same_is_not_asked_twice_and_not_added_twice(pictures: Captioned) -> None:
    pictures.draw(3)
    pictures.caption(0).write_text("mine")
    assert pictures.run("append") == 0
    first = pictures.captions()
    # A copy, and one that was only touched, are no other pictures.
    shutil.copy(pictures.picture(0), pictures.picture(9))
    os.utime(pictures.picture(1), (1, 1))
    assert pictures.run("append", batch_size=4) == 0
    assert pictures.captions() == {**first, 9: text_of(0)}
    assert set(pictures.asked.values()) == {1}


@pytest.mark.parametrize(
    ("old", "prefix", "expected"),
    [
        ("", "photo of ", "photo of hat"),
        ("photo of hat", "photo of ", "photo of hat"),
        ("red hat", "", "red hat, hat"),
        ("red, hat", "", "red, hat"),
        ("that", "mika, ", "mika, that, hat"),
        ("Mika, red, hat", "mika, ", "Mika, red, hat"),
    ],
)
def test_only_a_whole_answer_counts_as_added_already(
    pictures: Captioned, old: str, prefix: str, expected: str
) -> None:
    assert writing.composed(old, "hat", prefix, pictures.task("append")) == expected


@pytest.mark.parametrize(("resolution", "seen"), [(100, 1050), (2000, 2100)])
def test_a_large_picture_is_as_large_as_its_captioner_wants_it(
    pictures: Captioned, resolution: int, seen: int
) -> None:
    Image.new("RGB", (2100, 2100), (255, 0, 0)).save(pictures.picture(0))
    options = VisionLanguageOptions(resolution=resolution)
    (found,) = opened(
        find_pictures(pictures.task()).wanted, lambda content: False, 1, side_of(options)
    )
    assert found.image and found.image.width == seen


def test_a_model_that_was_replaced_is_asked_again(pictures: Captioned, tmp_path: Path) -> None:
    pictures.draw(1)
    model = tmp_path / "model"
    model.mkdir()
    for weights in ("old", "old", "newer"):
        if not (model / "weights").exists() or (model / "weights").read_text() != weights:
            (model / "weights").write_text(weights)
        assert pictures.run("overwrite", model=str(model)) == 0
    assert pictures.asked.total() == 2


def test_a_list_of_words_that_was_changed_is_asked_about_again(
    pictures: Captioned, tmp_path: Path
) -> None:
    words = tmp_path / "words.txt"
    task = replace(pictures.task(), captioner="clip_interrogator", options={"own_list": str(words)})
    keys: set[str] = set()
    for text in ("cat", "cat, dog"):
        words.write_text(text)
        keys |= {task.settings_key(), task.settings_key()}
    assert len(keys) == 2


def test_other_options_and_other_pixels_are_asked_again(pictures: Captioned) -> None:
    pictures.draw(2)
    pictures.run()
    pictures.run("overwrite", style="loud")
    assert pictures.captions() == pictures.expected(range(2), style="loud")
    shutil.copy(pictures.picture(0), pictures.picture(1))
    pictures.run("overwrite")
    assert pictures.captions() == {0: text_of(0), 1: text_of(0)}
    assert pictures.asked.total() == 4


def test_a_prefix_is_put_in_front_once(pictures: Captioned) -> None:
    pictures.draw(2)
    pictures.caption(0).write_text("Mika, running")
    assert pictures.run("append", prefix="mika, ") == 0
    texts = [f"Mika, running, {text_of(0)}", f"mika, {text_of(1)}"]
    assert pictures.captions() == dict(enumerate(texts))
    assert pictures.run("overwrite", trigger_words=["zibbu", "red coat"]) == 0
    assert pictures.captions() == pictures.expected(range(2), before="zibbu, red coat, ")
    assert pictures.run("overwrite", prefix="", trigger_words=["zibbu"]) == 0
    assert pictures.captions() == pictures.expected(range(2))
    assert pictures.asked.total() == 2


def test_bad_pictures_are_left_out_with_their_reasons(pictures: Captioned) -> None:
    pictures.draw(6)
    whole = pictures.picture(0).read_bytes()
    pictures.picture(0).write_bytes(whole[:40])
    pictures.picture(1).write_bytes(b"")
    pictures.picture(2).write_text("no picture")
    Image.new("RGB", (4, 4), GREY).save(pictures.picture(3))
    Image.new("RGB", (4, 4), 0).save(pictures.folder / "dark.png")
    shutil.copy(pictures.picture(4), pictures.picture(4).with_suffix(".jpg"))
    Image.new("RGB", (4, 4), "white").save(pictures.folder / "linked.png")
    (pictures.folder / "linked.txt").symlink_to(pictures.folder.parent / "elsewhere")
    (pictures.folder.parent / "elsewhere").write_text("another's")
    assert pictures.run("overwrite", batch_size=4) == 0
    assert pictures.captions() == pictures.expected([5])
    why = reasons(pictures)
    assert set(why) == {
        *(f"{number:05d}.png" for number in range(5)),
        "00004.jpg",
        "dark.png",
        "linked.png",
    }
    assert "the file is empty" in why["00001.png"]
    assert "not a picture" in why["00002.png"]
    assert "grey is no colour" in why["00003.png"]
    assert "would share its caption, 00004.txt" in why["00004.jpg"]
    assert "nothing to say" in why["dark.png"]
    assert "is a link" in why["linked.png"]
    assert (pictures.folder.parent / "elsewhere").read_text() == "another's"
    assert pictures.events("captions")[0]["left"] == 8


def test_a_model_that_breaks_down_at_every_picture_is_no_bad_picture(
    pictures: Captioned,
) -> None:
    for number in range(8):
        Image.new("RGB", (4, 4 + number), GREY).save(pictures.picture(number))
    assert pictures.run(batch_size=8) == 1
    status = summary(pictures.directory)
    assert status.error and "grey is no colour" in status.error["message"]


def test_a_batch_that_is_too_large_is_halved_and_grows_no_more(pictures: Captioned) -> None:
    pictures.draw(20)
    assert pictures.run(batch_size=16, most=3) == 0
    assert pictures.captions() == pictures.expected(range(20))
    told = [event["message"] for event in pictures.events("problem")]
    assert [message.rpartition(": ")[2][0] for message in told] == ["8", "4", "2"]
    assert set(pictures.asked.values()) == {1}


def test_not_even_one_picture_fits(pictures: Captioned) -> None:
    pictures.draw(3)
    pictures.caption(0).write_text("mine")
    assert pictures.run("overwrite", batch_size=2, most=0) == 1
    error = summary(pictures.directory).error
    assert error and error["title"] == "The memory is too small for this captioner"
    assert pictures.captions() == {0: "mine"}


def test_what_was_found_before_a_breakdown_is_written(pictures: Captioned) -> None:
    pictures.draw(5)
    assert pictures.run(fails_at=4) == 1
    assert pictures.captions() == pictures.expected(range(3))
    undo(pictures)
    assert not pictures.captions()


@pytest.mark.parametrize("by", ["request", "SIGTERM"])
def test_a_stop_keeps_what_there_is_and_the_next_goes_on(pictures: Captioned, by: str) -> None:
    pictures.draw(20)
    pictures.caption(0).write_text("mine")
    process = pictures.begin("append", seconds=0.05)
    until(lambda: pictures.asked.total() > 3)
    if by == "request":
        control.request(pictures.directory, "stop")
    else:
        process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 75
    there = pictures.captions()
    assert 3 < len(there) < 20
    assert there == {0: f"mine, {text_of(0)}"} | pictures.expected(range(1, len(there)))
    assert pictures.run("append", seconds=0.05) == 0
    assert pictures.captions() == {0: f"mine, {text_of(0)}"} | pictures.expected(range(1, 20))
    assert set(pictures.asked.values()) == {1}
    undo(pictures)
    assert pictures.captions() == {0: "mine"}


def test_killed_at_any_moment_it_goes_on_and_nothing_is_lost(pictures: Captioned) -> None:
    pictures.draw(60)
    for number in range(0, 60, 3):
        pictures.caption(number).write_text("mine")
    draw = random.Random(5)
    kills = 0
    while kills < 10:
        process = pictures.begin("append", seconds=0.02, batch_size=3)
        with suppress(subprocess.TimeoutExpired):
            process.wait(draw.uniform(0, 0.5))
        if process.poll() is not None:
            break
        with suppress(control.NotLiveError):
            control.kill(pictures.directory)
        process.wait()
        kills += 1
    assert kills > 2
    assert pictures.run("append", seconds=0.02, batch_size=3) == 0
    expected = {number: f"mine, {text_of(number)}" for number in range(0, 60, 3)}
    assert pictures.captions() == pictures.expected(range(60)) | expected
    # Only what the model was at work on when it was killed is asked again.
    assert pictures.asked.total() <= 60 + 3 * kills
    undo(pictures)
    assert pictures.captions() == dict.fromkeys(range(0, 60, 3), "mine")
    left = [path.name for path in pictures.folder.iterdir() if path.suffix not in (".png", ".txt")]
    assert not left


@pytest.mark.parametrize("mode", ["missing", "overwrite", "append"])
def test_what_a_person_writes_meanwhile_is_kept(pictures: Captioned, mode: Mode) -> None:
    pictures.draw(12)
    if mode != "missing":
        pictures.caption(2).write_text("mine")
    process = pictures.begin(mode, seconds=0.05)
    until(lambda: pictures.asked.total() > 3)
    pictures.caption(2).write_text("typed just now")
    pictures.caption(7).write_text("this, too")
    # Nor by an attempt that comes after a kill.
    process.kill()
    process.wait()
    assert pictures.run(mode, seconds=0.05) == 0
    typed = {2: "typed just now", 7: "this, too"}
    others = [number for number in range(12) if number not in typed]
    assert pictures.captions() == pictures.expected(others) | typed


def test_of_two_that_begin_one_is_refused(pictures: Captioned) -> None:
    pictures.draw(3)
    pictures.begin(seconds=0.5)
    with pytest.raises(AlreadyRunningError):
        pictures.begin(style="loud")
    pictures.processes[0].wait(60)
    assert pictures.captions() == pictures.expected(range(3))


def test_results_that_were_torn_or_mangled_are_asked_again(pictures: Captioned) -> None:
    pictures.draw(4)
    pictures.run()
    results = pictures.directory.path / "results.jsonl"
    first, second, third, fourth = results.read_bytes().splitlines(keepends=True)
    lines = [first, b"\xff{\n", second[:-9] + b"\n", b"[]\n", third, fourth[:-5]]
    results.write_bytes(b"".join(lines))
    undo(pictures)
    assert pictures.run() == 0
    assert pictures.captions() == pictures.expected(range(4))
    assert sorted(pictures.asked.values()) == [1, 1, 2, 2]
    undo(pictures)
    assert pictures.run() == 0
    assert pictures.asked.total() == 6


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of a few hundred kilobytes."""
    disk = tmp_path / "small disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=600k", "tmpfs", str(disk)]
    if os.geteuid() or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("a file system of its own cannot be mounted")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def fill(disk: Path, leave: int) -> Path:
    """Put a file there that takes all but ``leave`` bytes."""
    filling = disk / "filling"
    filling.write_bytes(b"x" * (shutil.disk_usage(disk).free - leave))
    return filling


def test_a_full_disk_under_the_pictures_loses_nothing(
    pictures: Captioned, small_disk: Path
) -> None:
    pictures.folder = small_disk
    pictures.draw(40)
    for number in range(40):
        pictures.caption(number).write_text("mine")
    filling = fill(small_disk, 0)
    assert pictures.run("overwrite") == 1
    error = summary(pictures.directory).error
    assert error and "The disk is full" in error["remedy"]
    assert set(pictures.captions().values()) <= {"mine", *(text_of(n) for n in range(40))}
    filling.unlink()
    assert pictures.run("overwrite") == 0
    assert pictures.captions() == pictures.expected(range(40))
    assert pictures.asked.total() == 40


def test_a_full_disk_under_the_job_loses_nothing(
    pictures: Captioned, small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(small_disk))
    pictures.draw(400)
    process = pictures.begin(seconds=0.002)
    until(lambda: pictures.asked.total() > 5)
    filling = fill(small_disk, 4096)
    assert process.wait(60) == 1
    error = summary(pictures.directory).error
    assert error and "The disk is full" in error["remedy"]
    filling.unlink()
    assert pictures.run(seconds=0.002) == 0
    assert pictures.captions() == pictures.expected(range(400))
