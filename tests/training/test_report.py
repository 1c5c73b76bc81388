"""The page of a run: all of it is there, nothing comes from elsewhere, nothing is markup."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from lora_wizard.core.config.paths import templates_folder
from lora_wizard.core.errors import EXIT_STOPPED
from lora_wizard.core.report import write_report
from lora_wizard.core.run.choice import choose
from lora_wizard.core.run.directory import RunDirectory
from lora_wizard.core.run.job import Job, run_job
from lora_wizard.core.training.__main__ import work
from training_runs import draw_pictures, start, toy_config

HOSTILE = '<script>alert(1)</script> "quoted" & \x1b[31m \u202ereversed'


class Page(HTMLParser):
    """Tags, the words between them, and every address the page names."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.words: list[str] = []
        self.addresses: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href", "data")]

    def handle_data(self, data: str) -> None:
        self.words.append(data)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunDirectory:
    folder = tmp_path_factory.mktemp("report")
    pictures = draw_pictures(folder / "pictures")
    (pictures / "00.txt").write_text(HOSTILE)
    output = {"comment": HOSTILE}
    samples = {"prompts": ["mika", "a cat"]}
    return start(toy_config(pictures, folder / "runs", output=output, samples=samples), work)


@pytest.fixture(scope="module")
def page(run: RunDirectory) -> Page:
    return Page((run.path / "report.html").read_text())


def test_the_job_leaves_it_and_says_how_it_ended(page: Page) -> None:
    words = " ".join(page.words)
    assert "finished" in words
    assert "live" not in words


def test_what_was_measured_is_said(run: RunDirectory, page: Page) -> None:
    assert "What it learned" not in page.words
    found = {"learned": True, "words": ["It learned.", HOSTILE], "figures": {}}
    (run.path / "measured.json").write_text(json.dumps(found))
    words = " ".join(Page(write_report(run).read_text()).words)
    assert "What it learned" in words
    assert "It learned. <script>" in words


def test_it_has_every_picture_prompt_file_and_caption(run: RunDirectory, page: Page) -> None:
    drawn = list(run.samples_path.glob("*.png"))
    pictures = list((run.path.parents[1] / "pictures").glob("*.png"))
    assert drawn
    assert page.tags.count("img") == len(drawn) + len(pictures)
    words = " ".join(page.words)
    for expected in ("mika", "a cat", "base model", "epoch 1", "mika number 3", "learning_rate"):
        assert expected in words
    for file, facts in run.manifest().items():
        assert file in page.words
        assert facts["sha256"] in page.words


def test_it_asks_nothing_of_the_network(page: Page) -> None:
    assert page.addresses
    assert all(address.startswith("data:image/webp;base64,") for address in page.addresses)
    assert not {"script", "link", "iframe", "object"} & set(page.tags)


def test_nothing_from_files_is_markup_or_invisible(page: Page) -> None:
    words = " ".join(page.words)
    assert '<script>alert(1)</script> "quoted" & \\x1b[31m \\u202ereversed' in words
    assert not re.search("[\x00-\x08\x0b-\x1f\u202a-\u202e]", words)


def test_the_demos_base_and_the_run_have_short_names(tmp_path: Path) -> None:
    pictures = draw_pictures(tmp_path / "pictures")
    base = templates_folder() / "demo" / "base"
    sections: dict[str, Any] = {
        "model": {"base": str(base), "family": "sd1"},
        "dataset": {"resolution": 64, "bucket_step": 8},
        "training": {"max_steps": 1},
    }
    config = toy_config(pictures, tmp_path / "runs", samples={"prompts": []}, **sections)
    run = RunDirectory.create(config)
    page = write_report(run).read_text()
    assert "embedded:demo" in page.partition("Configuration")[0]
    assert str(base) not in page.partition("Configuration")[0]
    assert "<h1>toy</h1>" in page


def test_the_curve_stays_in_its_frame(run: RunDirectory) -> None:
    text = (run.path / "report.html").read_text()
    boxes = re.findall(r'viewBox="0 0 (\d+) (\d+)"', text)
    shapes = re.findall(r'points="([^"]+)"', text)
    assert boxes and shapes
    width, height = int(boxes[0][0]), max(int(box[1]) for box in boxes)
    for shape in shapes:
        for point in shape.split():
            x, y = map(float, point.split(","))
            assert 0 <= x <= width
            assert 0 <= y <= height


def test_it_can_be_written_again_after_a_choice_and_without_the_pictures(
    run: RunDirectory, tmp_path: Path
) -> None:
    choose(run, "toy-000001.safetensors")
    pictures = run.path.parents[1] / "pictures"
    pictures.rename(tmp_path / "elsewhere")
    try:
        page = Page(write_report(run).read_text())
    finally:
        (tmp_path / "elsewhere").rename(pictures)
    words = " ".join(page.words)
    assert "chosen" in words
    assert "no longer where they were" in words


def test_a_failed_run_says_why_and_a_stopped_one_that_it_was(tmp_path: Path) -> None:
    pictures = draw_pictures(tmp_path / "pictures")
    config = toy_config(pictures, tmp_path / "runs", samples={"prompts": []})
    failed, stopped = RunDirectory.create(config), RunDirectory.create(config)

    def stop(job: Job) -> None:
        (job.directory.control_path / "stop").touch()
        work(job)

    (pictures / "00.png").write_bytes(b"no picture")
    assert run_job(failed.path, work) != 0
    (pictures / "00.png").unlink()
    assert run_job(stopped.path, stop) == EXIT_STOPPED
    title = (failed.record().error or {})["title"]
    words = Page((failed.path / "report.html").read_text()).words
    assert "failed" in words
    assert any(word.startswith(title) for word in words)
    assert "stopped" in Page((stopped.path / "report.html").read_text()).words


def test_a_page_that_cannot_be_written_changes_nothing(tmp_path: Path) -> None:
    pictures = draw_pictures(tmp_path / "pictures")
    run = RunDirectory.create(toy_config(pictures, tmp_path / "runs", samples={"prompts": []}))
    (run.path / "report.html").mkdir()
    assert run_job(run.path, work) == 0
    assert run.record().outcome == "finished"
    assert "report.html" in run.log_path.read_text()
