"""Results: on the screen and on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import finished_run
import pytest
from lora_wizard.core.run import measure
from lora_wizard.core.run.choice import chosen
from lora_wizard.core.run.directory import RunDirectory
from lora_wizard.tui.app import WizardApp
from lora_wizard.tui.cli import main
from lora_wizard.tui.screens.of_run import show_results, watch_run
from lora_wizard.tui.screens.results import ResultsScreen
from screens import SIZES, at_rest, check_snapshot, screen_text
from textual.pilot import Pilot


async def opened(pilot: Pilot[None], run: RunDirectory) -> ResultsScreen:
    app = pilot.app
    assert isinstance(app, WizardApp)
    show_results(app, run)
    await at_rest(pilot)
    assert isinstance(app.screen, ResultsScreen)
    return app.screen


@pytest.mark.anyio
@pytest.mark.parametrize("size", SIZES)
async def test_it_looks_as_it_should(
    home: Path, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSH_CONNECTION", "198.51.100.7 50000 8.8.4.4 22")
    monkeypatch.setenv("USER", "root")
    app = WizardApp()
    async with app.run_test(size=size) as pilot:
        await opened(pilot, finished_run.make(home / "runs"))
        check_snapshot(app, "results", home)


@pytest.mark.anyio
async def test_the_best_one_is_noted_and_published(home: Path) -> None:
    run = finished_run.make(home / "runs", publish_to=str(home / "loras"))
    app = WizardApp()
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot, run)
        assert screen.version and screen.version.file == "mika.safetensors"
        await pilot.press("left", "left", "b")
        await at_rest(pilot)
        assert chosen(run) == "mika-000001.safetensors"
        assert "epoch 1, best" in screen_text(app)
    assert (home / "loras/mika.safetensors").read_bytes() == b"weights of epoch 1"


@pytest.mark.anyio
async def test_the_base_model_cannot_be_chosen(home: Path) -> None:
    run = finished_run.make(home / "runs")
    app = WizardApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, run)
        await pilot.press("left", "left", "left", "b")
        await at_rest(pilot)
        assert any("no file" in said.message for said in app._notifications)
    assert not chosen(run)


@pytest.mark.anyio
async def test_a_run_without_prompts_or_files_says_so(home: Path) -> None:
    app = WizardApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, finished_run.make(home / "runs", prompts=()))
        assert "no sample prompts" in screen_text(app)
        assert "mika.safetensors" in screen_text(app)
        await pilot.press("escape")
        await opened(pilot, finished_run.make(home / "others", prompts=(), epochs=0))
        assert "Nothing yet" in screen_text(app)


@pytest.mark.anyio
async def test_how_to_use_it_names_the_file_and_the_trigger_word(home: Path) -> None:
    app = WizardApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, finished_run.make(home / "runs"))
        await pilot.press("u")
        await pilot.pause()
        text = screen_text(app)
    assert "Put mika.safetensors into ComfyUI/models/loras" in text
    assert "<lora:mika:1> mika, a photo of" in text


def measured(home: Path) -> RunDirectory:
    run = finished_run.make(home / "runs")
    words = ["It learned.", "The creature is in 90% of 20 pictures with the LoRA, in 0% without."]
    document = {"learned": True, "words": [*words, "\x1b[31mred"], "figures": {"share": 0.9}}
    (run.path / "measured.json").write_text(json.dumps(document))
    return run


@pytest.mark.anyio
@pytest.mark.parametrize("size", SIZES)
async def test_what_it_learned_is_told_where_that_was_measured(
    home: Path, size: tuple[int, int]
) -> None:
    app = WizardApp()
    async with app.run_test(size=size) as pilot:
        await opened(pilot, measured(home))
        check_snapshot(app, "results-measured", home)


@pytest.fixture
def unmeasured(home: Path, monkeypatch: pytest.MonkeyPatch) -> RunDirectory:
    """A finished run that is to be measured, by a job of the tests."""
    monkeypatch.setitem(measure.MODULES, "toy", "measures")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1] / "run"))
    run = finished_run.make(home / "runs")
    run.update(measure="toy")
    return run


async def until(pilot: Pilot[None], words: str) -> None:
    for _ in range(600):
        if words in " ".join(screen_text(pilot.app).split()):
            return
        await pilot.pause(0.05)
    raise AssertionError(screen_text(pilot.app))


@pytest.mark.anyio
async def test_who_opens_the_results_has_it_measured(
    unmeasured: RunDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEASURE", "wait")
    app = WizardApp()
    async with app.run_test(size=(80, 24)) as pilot:
        show_results(app, unmeasured)
        await until(pilot, "is being measured")
        (unmeasured.path / "go").touch()
        await until(pilot, "It learned. In 90% of 20.")


@pytest.mark.anyio
async def test_who_watches_the_end_has_it_measured(unmeasured: RunDirectory) -> None:
    app = WizardApp()
    async with app.run_test(size=(80, 24)) as pilot:
        watch_run(app, unmeasured)
        for _ in range(600):
            if measure.measurement(unmeasured):
                break
            await pilot.pause(0.05)
        assert measure.measurement(unmeasured)
        assert unmeasured.record().outcome == "finished"
        show_results(app, unmeasured)
        await until(pilot, "It learned. In 90% of 20.")


@pytest.mark.anyio
async def test_what_cannot_be_measured_is_told(
    unmeasured: RunDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEASURE", "fail")
    app = WizardApp()
    async with app.run_test(size=(80, 24)) as pilot:
        show_results(app, unmeasured)
        await until(pilot, "could not be measured")


def test_the_command_tells_what_it_learned(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = measured(home)
    assert main(["results", str(run.path)]) == 0
    text = capsys.readouterr().out
    assert "It learned. The creature is in 90% of 20 pictures" in " ".join(text.split())
    assert "\x1b" not in text
    assert main(["results", str(run.path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["measured"]["figures"] == {"share": 0.9}


def test_the_command_lists_chooses_and_speaks_json(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = finished_run.make(home / "runs")
    assert main(["results", str(run.path), "--best-epoch", "2"]) == 0
    assert "mika-000002.safetensors" in capsys.readouterr().out
    assert main(["results", str(run.path), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["chosen"] == "mika-000002.safetensors"
    assert [item["step"] for item in document["versions"]] == [0, 10, 20, 30]
    assert main(["results", str(run.path), "--best-epoch", "9"]) == 2
    assert "There are: 1, 2, 3." in capsys.readouterr().err


@pytest.mark.anyio
async def test_no_column_is_cut_at_its_left(home: Path) -> None:
    app = WizardApp()
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot, finished_run.make(home / "runs", epochs=6))
        for key in ("", "left", "left", "left", "left", "left", "right", "right", "end", "home"):
            if key:
                await pilot.press(key)
                await at_rest(pilot)
            assert screen.version
            names = next(line for line in screen_text(app).splitlines() if "> " in line)
            whole = ["base model", *(f"epoch {number}" for number in range(1, 7))]
            assert names[:3].strip() in ("", ">"), names
            assert names[3:].startswith(tuple(whole)), names
            assert f"> {screen.version.label}" in names
