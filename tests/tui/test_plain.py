"""The plain questions, answered at a real terminal."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import finished_run
import pytest
from form_walks import settled
from lora_wizard.core.config import configfile
from lora_wizard.core.run.choice import chosen
from lora_wizard.core.run.directory import known_runs
from lora_wizard.core.run.status import summary
from lora_wizard.tui.app import WizardApp
from lora_wizard.tui.plain.outcome import tell_results
from lora_wizard.tui.plain.talk import Talk
from lora_wizard.tui.walk.draft import Draft, drafts
from lora_wizard.tui.widgets.controls import Choice
from lora_wizard.tui.widgets.fields import OptionField, field_id
from PIL import Image
from plain_person import is_plain, talk
from textual.widgets import TextArea

DEMO = [
    ("What do you want to do?", "new"),
    ("Which preset?", "face"),
    ("Folder of pictures [", "embedded:demo/pictures"),
    ("Trigger words", "zibbu, mika"),
    ("What do the pictures show?", "character"),
    ("Class word", "creature"),
    ("Repeats", "3"),
    ("Epochs", "2"),
    ("Base model [", "embedded:demo"),
    ("Precision", "fp32"),
    ("Rank", "4"),
    ("Resolution", "64"),
    ("LoRA name [", "zib"),
]
"""A walk through the embedded base model; enter at all other questions."""

ON_SCREENS = {
    "dataset": {
        "dataset.folder": "embedded:demo/pictures",
        "captions.trigger_words": "zibbu, mika",
    },
    "repeats": {"dataset.repeats": "3", "training.epochs": "2"},
    "model": {"model.base": "embedded:demo", "model.precision": "fp32"},
    "parameters": {"network.rank": "4", "dataset.resolution": "64"},
    "samples": {
        "samples.prompts": "zibbu, a photo of a creature\n"
        "zibbu, a painting of a creature on a beach\na photo of a creature"
    },
    "output": {"output.comment": "trigger: zibbu, mika", "output.name": "zib"},
}
"""The same answers, typed into the fields of the screens."""

PROMPTS = [
    "zibbu, a photo of a creature",
    "zibbu, a painting of a creature on a beach",
    "a photo of a creature",
]


@pytest.fixture(autouse=True)
def own_home(home: Path) -> Path:
    return home


def test_the_walk_ends_in_the_toml_that_the_draft_makes(home: Path) -> None:
    talked = talk([*DEMO, ("What now?", "save"), ("Save as", "zib.toml"), ("What now?", "q")])
    assert talked.status == 0
    assert is_plain(talked)

    same = Draft.new("face")
    for key, text in {
        "dataset.folder": "embedded:demo/pictures",
        "captions.trigger_words": "zibbu, mika",
        "dataset.repeats": "3",
        "training.epochs": "2",
        "model.base": "embedded:demo",
        "model.precision": "fp32",
        "network.rank": "4",
        "dataset.resolution": "64",
        "samples.prompts": "\n".join(PROMPTS),
        "output.comment": "trigger: zibbu, mika",
        "output.name": "zib",
    }.items():
        assert same.enter(key, text) is None
    assert (home / "zib.toml").read_text() == same.text
    assert configfile.load(home / "zib.toml").samples.prompts


def test_what_is_found_is_told_on_the_way() -> None:
    talked = talk([*DEMO, ("What now?", "q")])
    words = " ".join(talked.text.split())
    assert "16 pictures" in words
    assert "16 of 16 pictures have a caption" in words
    assert "48" in words  # 16 pictures x 3 repeats
    assert "JarvisLabs: 16 images / batch 2 x 3 repeats x 2 epochs gives 48 steps" in words
    assert "Repeats: 3; the preset says 30." in words


def test_a_target_is_solved_for() -> None:
    talk([*DEMO[:8], ("Steps [as it is]", "quick"), ("How?", "1"), ("Base model [", "q")])
    draft = drafts()[0]
    assert draft.value("dataset.repeats") == 3
    assert draft.value("training.epochs") > 10
    assert draft.step == "model"


def test_going_back_and_leaving_lose_nothing() -> None:
    first = talk(
        [
            ("What do you want to do?", "new"),
            ("Which preset?", "style"),
            ("Folder of pictures [", "embedded:demo/pictures"),
            ("Trigger words", "<"),
            ("Folder of pictures [embedded:demo/pictures]", ""),
            ("Trigger words", "zibbu"),
            ("What do the pictures show?", "q"),
        ]
    )
    assert first.status == 0
    assert "kept" in first.text
    talk(
        [
            ("What do you want to do?", ""),
            ("Trigger words [zibbu]", "-"),
            ("What do the pictures show?", "q"),
        ]
    )
    assert [draft.value("captions.trigger_words") for draft in drafts()] == [[]]
    assert drafts()[0].value("dataset.folder") == "embedded:demo/pictures"


def test_back_goes_over_the_border_of_a_step_and_not_before_the_first_question() -> None:
    talked = talk(
        [
            ("What do you want to do?", "new"),
            ("Which preset?", "face"),
            ("Folder of pictures [", "<"),
            ("Folder of pictures [", "embedded:demo/pictures"),
            ("Repeats [30]", "<"),
            (" more, good", "q"),
        ]
    )
    assert "This is the first question." in talked.text
    assert drafts()[0].step == "captions"


@pytest.mark.parametrize(
    ("question", "wrong", "said"),
    [
        ("Repeats", "many", "whole number"),
        ("Repeats", "0", "1 to 10000"),
        ("Folder of pictures", "no such folder", "There is no folder"),
        ("Precision", "fp99", "bf16"),
        ("Price an hour", "a lot", "0.79"),
        ("Trigger words", "hf_" + "a" * 34, "HF_TOKEN"),
        ("Trigger words", "\x1b[A", "control characters"),
    ],
)
def test_a_wrong_answer_is_explained_and_asked_again(question: str, wrong: str, said: str) -> None:
    talked = talk(
        [
            ("What do you want to do?", "new"),
            ("Which preset?", "face"),
            (f"{question} [", wrong),
            (f"{question} [", "q"),
        ]
    )
    assert talked.status == 0
    assert said in talked.text
    draft = drafts()[0]
    assert draft.value("dataset.repeats") == 30
    assert draft.value("captions.trigger_words") == []


def test_a_question_explains_itself() -> None:
    talked = talk(
        [
            ("What do you want to do?", "new"),
            ("Which preset?", "face"),
            ("Repeats [30]", "?"),
            ("Repeats [30]", "q"),
        ]
    )
    words = " ".join(talked.text.split())
    assert "dataset.repeats in the TOML" in words
    assert "from 1 to 10000" in words


@pytest.mark.parametrize("broken", [False, True])
def test_names_and_captions_never_command_the_terminal(home: Path, broken: bool) -> None:
    folder = home / "pictures"
    folder.mkdir()
    for name in ("\x1b[2Jevil.png", "[bold]\u202e.png"):
        Image.new("RGB", (512, 512)).save(folder / name)
        (folder / name).with_suffix(".txt").write_text("\x1b]0;owned\x07 [/b]\u202e\nmore\x1b[31m")
    if broken:
        (folder / "evil\x1b[31m.png").write_bytes(b"nothing")
    toml = home / "run.toml"
    toml.write_text(
        '[model]\nbase = "embedded:demo"\n[dataset]\nfolder = "pictures"\n'
        '[captions]\ntrigger_words = ["\\u001b]0;owned\\u0007"]\n'
    )
    talked = talk([("Base model [", ""), ("What now?", "q")], toml=toml)
    assert "owned" in talked.text
    assert "evil" in talked.text
    assert is_plain(talked)


def test_ctrl_c_leaves_with_everything_kept() -> None:
    talked = talk(
        [("What do you want to do?", "new"), ("Which preset?", "face"), ("Trigger words", "zibbu")],
        interrupt_at="Class word [",
    )
    assert talked.status == 130
    assert "Traceback" not in talked.text
    assert drafts()[0].value("captions.trigger_words") == ["zibbu"]


@pytest.mark.parametrize("answers", ["", "new\n", "new\nface\nembedded:demo/pictures\nzib"])
def test_the_end_of_the_input_leaves_politely(answers: str) -> None:
    ran = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys; from lora_wizard.tui.plain.walk import run; sys.exit(run())",
        ],
        input=answers,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, "TERM": "dumb"},
    )
    assert ran.returncode == 0
    assert ran.stderr == ""
    if "zib" in answers:
        assert drafts()[0].value("captions.trigger_words") == ["zib"]


def test_the_pictures_that_come_along_are_not_written_beside(home: Path) -> None:
    talked = talk([*DEMO[:4], ("Repeats", "q")])
    assert "The captions:" not in talked.text


def test_a_base_that_is_near_is_chosen_and_told_of(home: Path) -> None:
    talked = talk(
        [
            *DEMO[:8],
            ("Models to train on:", "embedded"),
            ("Base model [embedded:demo]", ""),
            ("Rank [", "q"),
        ]
    )
    words = " ".join(talked.text.split())
    assert "It is Stable Diffusion 1.x: " in words
    assert drafts()[0].value("model.base") == "embedded:demo"


@pytest.mark.anyio
async def test_the_screens_make_the_same_toml_of_the_same_answers(home: Path) -> None:
    talk([*DEMO, ("What now?", "save"), ("Save as", "plain.toml"), ("What now?", "q")])
    app = WizardApp(draft=Draft.new("face"))
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(app, pilot)
        app.draft.discard()
        for step, answers in ON_SCREENS.items():
            app.go(step)
            await settled(app, pilot)
            for key, text in answers.items():
                control: Any = app.screen.query_one(f"#{field_id(key)}", OptionField).input
                if isinstance(control, TextArea):
                    control.text = text
                elif isinstance(control, Choice):
                    control.focus()
                    while control.value != text:
                        await pilot.press("right")
                else:
                    control.value = text
                await settled(app, pilot)
        app.draft.save_as(home / "screens.toml")
    assert (home / "screens.toml").read_text() == (home / "plain.toml").read_text()


def test_in_the_end_the_best_is_asked_for_and_the_results_are_told(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = finished_run.make(home / "runs", publish_to=str(home / "loras"))
    monkeypatch.setattr("sys.stdin", io.StringIO("epoch 2\n"))
    tell_results(Talk(), run)
    text = capsys.readouterr().out
    assert chosen(run) == "mika-000002.safetensors"
    assert str(run.samples_path / "step00000010-01.png") in text
    assert "Which one is the best?" in text
    assert "ComfyUI" in text
    assert "lora-wizard results mika" in text
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    tell_results(Talk(), run)
    assert chosen(run) == "mika-000002.safetensors"


@pytest.mark.slow
def test_the_walk_starts_the_training_and_says_what_came_of_it(home: Path) -> None:
    talked = talk(
        [
            *DEMO[:8],
            (" more, good", "y"),
            ("Most steps [", "3"),
            *DEMO[8:],
            ("What now?", "limits"),
            ("At most this long", "soon"),
            ("At most this long [soon]", "1h"),
            ("Command afterwards", "-x 'a b'"),
            ("What now?", "start"),
            ("Save as", "zib.toml"),
        ],
        patience=300,
    )
    assert talked.status == 0, talked.text[-3000:]
    limited = summary(known_runs()[0])
    assert (limited.because, limited.then) == ("1h are over", "-x 'a b'")
    assert is_plain(talked)
    assert (known_runs()[0].path / "zib.safetensors").is_file()
    assert "Finished" in talked.text
