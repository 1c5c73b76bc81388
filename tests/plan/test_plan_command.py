"""`lora-wizard plan` as a person and as a program see it."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from datasets import write_picture, write_pictures
from lora_wizard.core.config import configfile
from lora_wizard.core.dataset.build import build_plan
from lora_wizard.core.dataset.captions import final_caption
from lora_wizard.core.dataset.order import windows
from lora_wizard.core.dataset.views import view_of
from lora_wizard.core.families import registry
from lora_wizard.core.hardware import hardware
from lora_wizard.core.schedule import Schedule
from lora_wizard.tui.cli import main

TOML = """
[model]
base = "owner/name"
[dataset]
folder = "img"
regularization_folder = "reg"
[captions]
trigger_words = ["mika"]
shuffle = true
keep_tokens = 1
dropout = 0.2
[training]
epochs = 3
batch_size = 4
gradient_accumulation = 2
[samples]
prompts = ["mika"]
"""


@pytest.fixture
def run_toml(tmp_path: Path) -> Path:
    for number in range(5):
        write_picture(tmp_path / f"img/3_mika/{number}.png", (512 + 70 * number, 512))
        (tmp_path / f"img/3_mika/{number}.txt").write_text("smiling, red hat, at home, outside")
    write_pictures(tmp_path / "reg/1_cat", 7)
    path = tmp_path / "run.toml"
    path.write_text(TOML)
    return path


def document(capsys: pytest.CaptureFixture[str], *words: object) -> dict[str, Any]:
    assert main(["plan", *map(str, words), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_every_step_shown_is_the_step_that_is_trained(
    run_toml: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = configfile.load(run_toml)
    plan = build_plan(config, registry.find("sd1"))
    schedule = Schedule.of(plan, config)
    for step in range(1, schedule.total_steps + 1):
        shown = document(capsys, run_toml, "--step", step)["step"]
        epoch, index = schedule.position(step)
        assert (shown["epoch"], shown["window"]) == (epoch, index)
        trained = windows(plan, config, epoch)[index]
        assert [
            [(draw["id"], draw["repeat"], draw["caption"]) for draw in batch]
            for batch in shown["micro_batches"]
        ] == [
            [(draw.sample.id, draw.repeat, final_caption(draw, config)) for draw in batch]
            for batch in trained
        ]


AUGMENTED = """
[augmentation]
flip = true
color = true
random_crop = true
"""


def test_crops_mirrors_and_colours_shown_are_those_that_are_trained(
    run_toml: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = run_toml.read_text().replace("[captions]", "cache_latents = false\n[captions]")
    run_toml.write_text(text + AUGMENTED)
    config = configfile.load(run_toml)
    plan = build_plan(config, registry.find("sd1"))
    shown: list[dict[str, Any]] = []
    for step in range(1, 4):
        found = document(capsys, run_toml, "--step", step)["step"]
        window = windows(plan, config, found["epoch"])[found["window"]]
        for batch, trained in zip(found["micro_batches"], window, strict=True):
            for item, draw in zip(batch, trained, strict=True):
                view = view_of(draw, config)
                assert item["crop"] == asdict(view.crop)
                assert item["flipped"] == view.is_flipped
                assert view.color and item["color"] == pytest.approx(asdict(view.color), abs=1e-4)
                shown.append(item)
    assert {item["flipped"] for item in shown} == {True, False}
    assert len({item["crop"]["left"] for item in shown}) > 2
    assert main(["plan", str(run_toml), "--step", "1"]) == 0
    text = capsys.readouterr().out
    assert "mirrored" in text and "hue " in text
    assert "random_crop" in "".join(
        item["where"] for item in document(capsys, run_toml)["problems"]
    )


def test_the_numbers_for_programs(run_toml: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shown = document(capsys, run_toml, "--target-steps", 100)
    assert [item["name"] for item in shown["concepts"]] == ["mika", "cat"]
    assert sum(row["uses"] for row in shown["buckets"]) == 30
    assert shown["total_steps"] == sum(shown["steps_of_epochs"])
    assert shown["saves"][0]["file"] == "lora-000001.safetensors"
    assert shown["saves"][-1] == {
        "step": shown["total_steps"],
        "epoch": 3,
        "file": "lora.safetensors",
    }
    assert shown["samples"][0] == 0
    assert [rule["source"] for rule in shown["rules_of_thumb"]] == ["S0", "S1", "S2", "S3", "S4"]
    epochs = shown["solutions"]["epochs"]
    again = document(capsys, run_toml, "--set", f"training.epochs={epochs['epochs']}")
    assert again["total_steps"] == epochs["steps"]


def test_what_a_person_sees(run_toml: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", str(run_toml), "--target-steps", "100"]) == 0
    shown = capsys.readouterr().out
    for words in (
        "3_mika",
        "regularization",
        "512x512",
        "lora-000002.safetensors",
        "ThinkDiffusion: ",
    ):
        assert words in shown
    assert "training.epochs = " in shown
    assert main(["plan", str(run_toml), "--step", "2"]) == 0
    shown = capsys.readouterr().out
    assert "Step            2 of" in shown
    assert "mika, " in shown


def test_text_of_the_user_s_never_commands_the_terminal(
    run_toml: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = run_toml.parent / "img/3_mika"
    (folder / "0.txt").write_text("\x1b]0;owned\x07 [/red] \u202egnp\x1b[2J")
    write_picture(folder / "\x1b[31m.png")
    for step in range(1, 4):
        assert main(["plan", str(run_toml), "--step", str(step)]) == 0
    assert main(["plan", str(run_toml)]) == 0
    shown = capsys.readouterr().out
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert "[/red]" in shown


def test_what_it_takes_is_told(
    run_toml: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    driver = run_toml.parent / "nvidia-smi"
    driver.write_text("#!/bin/sh\necho '0, GPU-a, Tesla T4, 15360, 14900, 550.5, 7.5, [N/A]'\n")
    driver.chmod(0o755)
    monkeypatch.setenv("PATH", f"{run_toml.parent}:/usr/bin:/bin")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    hardware.cache_clear()
    try:
        assert main(["plan", str(run_toml), "--price", "$2"]) == 0
        text = capsys.readouterr().out
        found = document(capsys, run_toml, "--price", "2")["estimate"]
    finally:
        hardware.cache_clear()
    for line in ("Time            rough: ", "Cost            about ", "LoRA file       19 MB"):
        assert line in text
    assert "fits (Tesla T4: 15 GB)" in " ".join(text.split())
    assert found["fit"]["state"] == "fits"
    assert found["cost"]["high"] == pytest.approx(found["time"]["high"] / 1800)


@pytest.mark.parametrize("words", [["--step", "0"], ["--step", "999"], ["--target-steps", "0"]])
def test_steps_that_do_not_exist(
    words: list[str], run_toml: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["plan", str(run_toml), *words]) == 2
    assert "Traceback" not in capsys.readouterr().err


def test_every_problem_for_programs_too(run_toml: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (run_toml.parent / "img/3_mika/bad.png").write_bytes(b"")
    assert (
        main(["plan", str(run_toml), "--json", "--set", "dataset.regularization_folder=/no"]) == 2
    )
    problems = json.loads(capsys.readouterr().out)["problems"]
    assert {problem["where"] for problem in problems} == {
        str(run_toml.parent / "img/3_mika/bad.png"),
        "dataset.regularization_folder",
    }


def test_planning_loads_no_torch(run_toml: Path) -> None:
    script = (
        "import sys\nfrom lora_wizard.tui.cli import main\n"
        f"status = main(['plan', {str(run_toml)!r}])\n"
        "heavy = {'torch', 'diffusers', 'transformers', 'peft', 'numpy'} & set(sys.modules)\n"
        "sys.exit(str(heavy) if heavy else status)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_problems_look_as_check_shows_them(
    run_toml: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    inside = run_toml.parent / "img" / "3_mika"
    again = ["--set", f"dataset.folder={inside}", "--set", "model.base=embedded:demo"]
    assert main(["check", str(run_toml), *again]) == 0
    checked = capsys.readouterr().out
    assert main(["plan", str(run_toml), *again]) == 0
    planned = capsys.readouterr().out
    block = f'\n         [[dataset.concepts]]\n         folder = "{inside}"\n'
    assert block in planned and block in checked
    assert "dataset.folder: 3_mika is itself" in planned, "a value of --set has no line"


def test_a_toml_that_is_not_there_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "no.toml", "--json"]) == 2
    assert "no.toml" in json.loads(capsys.readouterr().out)["problems"][0]["message"]
