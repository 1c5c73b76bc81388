"""Class pictures: how many, which, drawn by a real job, killed and gone on with."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from forked_jobs import ForkedJob, ForkServer, fork_server
from lora_wizard.core.config import RunConfig
from lora_wizard.core.dataset.build import build_plan
from lora_wizard.core.dataset.order import RegularizationCycle
from lora_wizard.core.errors import WizardError
from lora_wizard.core.families import registry as families
from lora_wizard.core.regularization.classes import work_of
from lora_wizard.core.regularization.draw import DrawingError, draw_all
from lora_wizard.core.regularization.options import ClassPictureOptions
from lora_wizard.core.regularization.start import Work, default_folder, uses, uses_of_concepts
from lora_wizard.core.run.control import request
from lora_wizard.core.run.job import run_job
from lora_wizard.core.run.tasks import TaskDirectory, task_directory
from PIL import Image
from training_runs import draw_pictures, events, sd_config

STOPPED = 75
DREW = {"steps": 2, "guidance": 2.0, "width": 64, "height": 64}


@pytest.fixture
def config(tiny_sd: Path, tmp_path: Path) -> RunConfig:
    pictures = draw_pictures(tmp_path / "pictures")
    return sd_config(
        tiny_sd,
        pictures,
        tmp_path / "runs",
        dataset={"folder": str(pictures), "repeats": 2, "resolution": 32, "bucket_step": 8},
    )


def work(config: RunConfig, into: Path, **changes: object) -> Work:
    options = ClassPictureOptions.model_validate(
        {"class_word": "cat", "count": 7, "batch_size": 3, **DREW, **changes}
    )
    return Work(config, into, (options,), (uses(config),))


def drawn(into: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((into / "1_cat").glob("*.png"))}


@pytest.fixture(scope="module")
def server() -> Iterator[ForkServer]:
    with fork_server() as running:
        yield running


class Begin:
    """Begins work in a process forked from one that has torch already."""

    def __init__(self, server: ForkServer) -> None:
        self._server = server

    def __call__(self, todo: Work) -> tuple[TaskDirectory, ForkedJob]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("lora_wizard.core.run.tasks.launch", self._launch)
            task, _ = todo.begin()
        return task, self._job

    def _launch(self, directory: TaskDirectory, module: str) -> None:
        del module
        self._job = self._server.start(
            directory.path, directory.path, work="lora_wizard.core.regularization.__main__:work"
        )


@pytest.fixture
def begin(server: ForkServer) -> Begin:
    return Begin(server)


def test_as_many_as_an_epoch_uses_and_the_training_takes_them_all(
    config: RunConfig, tmp_path: Path
) -> None:
    into = tmp_path / "class"
    _, process = work(config, into, count=None).begin()
    assert process.wait() == 0
    assert len(drawn(into)) == 12, "six pictures, twice"
    dataset = config.dataset.model_copy(update={"regularization_folder": str(into)})
    with_classes = config.model_copy(update={"dataset": dataset})
    plan = build_plan(with_classes, families.find("sd1"))
    used = RegularizationCycle.of(plan, 1).of_epoch(1)
    assert {draw.sample.path.name for draw in used} == set(drawn(into))
    assert {draw.sample.concept for draw in used} == {"cat"}
    assert uses(with_classes) == 12, "what is there already does not count itself"


def test_a_picture_is_what_the_prompt_and_its_own_seed_draw(
    config: RunConfig, begin: Begin, tmp_path: Path
) -> None:
    into = tmp_path / "class"
    _, process = begin(work(config, into, prompt="a (cat:1.3)", seed=100))
    assert process.wait() == 0
    files = sorted((into / "1_cat").glob("*.png"))
    with Image.open(files[4]) as image:
        assert image.size == (64, 64)
        parameters = image.info["parameters"]
    assert parameters.startswith("a (cat:1.3)\n") and "Seed: 104," in parameters
    assert "Steps: 2, Sampler: Euler a, CFG scale: 2" in parameters
    alone = tmp_path / "alone"
    _, process = begin(work(config, alone, prompt="a (cat:1.3)", seed=100, batch_size=1))
    assert process.wait() == 0
    for ours, other in zip(files, sorted((alone / "1_cat").glob("*.png")), strict=True):
        one, two = Image.open(ours).tobytes(), Image.open(other).tobytes()
        assert max(abs(a - b) for a, b in zip(one, two, strict=True)) <= 1
    seen = {path.read_bytes() for path in files}
    assert len(seen) == len(files), "each has its own seed"


def test_what_is_there_counts_and_another_prompt_draws_only_what_lacks(
    config: RunConfig, begin: Begin, tmp_path: Path
) -> None:
    into = tmp_path / "class"
    draw_pictures(into / "1_cat", 2)
    before = drawn(into)
    _, process = begin(work(config, into))
    assert process.wait() == 0
    after = drawn(into)
    assert len(after) == 7 and before.items() <= after.items()
    (into / "1_cat" / max(after)).write_bytes(b"no picture")
    task, process = begin(work(config, into))
    assert process.wait() == 0
    assert drawn(into) == after, "one that cannot be opened is drawn again, the others are not"
    assert len(events(task, "drawn")) == 1
    task, process = begin(work(config, into, prompt="another"))
    assert process.wait() == 0
    assert drawn(into) == after and not events(task, "drawn")
    task, process = begin(work(config, into, prompt="another", count=9))
    assert process.wait() == 0
    assert len(drawn(into)) == 9 and drawn(into).items() >= after.items()


def test_killed_anywhere_and_begun_again_it_draws_the_same(
    config: RunConfig, begin: Begin, tmp_path: Path
) -> None:
    _, process = begin(work(config, tmp_path / "whole"))
    assert process.wait() == 0
    into, dice, ends = tmp_path / "class", random.Random(4), []
    while not ends or ends[-1] != 0:
        before = drawn(into)
        task, process = begin(work(config, into))
        if len(ends) < 4:
            wanted = dice.randint(0, 2)
            while not task.events_path.exists() or len(events(task, "drawn")) < wanted:
                time.sleep(0.01)
            process.send(signal.SIGKILL)
        ends.append(process.wait())
        again = {Path(event["path"]).name for event in events(task, "drawn")}
        assert not again & set(before)
    assert -signal.SIGKILL in ends
    assert drawn(into) == drawn(tmp_path / "whole")
    assert not [path for path in (into / "1_cat").iterdir() if path.suffix != ".png"]


def test_a_stop_ends_in_the_middle_of_a_picture(
    config: RunConfig, begin: Begin, tmp_path: Path
) -> None:
    into = tmp_path / "class"
    task, process = begin(work(config, into, steps=1000, count=2))
    while not task.events_path.exists() or not any(
        event["phase"] == "draw class pictures" for event in events(task, "phase")
    ):
        time.sleep(0.02)
    request(task, "stop")
    assert process.wait() == STOPPED
    assert not drawn(into) and task.record().outcome == "stopped"


TORCHS = torch.OutOfMemoryError("CUDA out of memory.")


def in_this_process(
    todo: Work, monkeypatch: pytest.MonkeyPatch, fits: int, error: Exception = TORCHS
) -> int:
    """The exit status of a job on a GPU whose memory is enough for ``fits`` pictures."""
    from lora_wizard.core.families.sd1_model import StableDiffusion1

    denoise = StableDiffusion1.denoise

    def full(self: StableDiffusion1, latents: torch.Tensor, *rest: torch.Tensor) -> torch.Tensor:
        if len(latents) > 2 * fits:
            raise error
        return denoise(self, latents, *rest)

    monkeypatch.setattr(StableDiffusion1, "denoise", full)
    monkeypatch.setattr("lora_wizard.core.run.tasks.launch", lambda directory, module: None)
    task, _ = todo.begin()
    return run_job(task.path, lambda job: draw_all(job, todo))


@pytest.mark.parametrize(
    "error", [TORCHS, RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling")]
)
def test_fewer_together_when_memory_is_too_small(
    config: RunConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    into = tmp_path / "class"
    todo = work(config, into, batch_size=7)
    assert in_this_process(todo, monkeypatch, 2, error) == 0
    assert len(drawn(into)) == 7
    said = [event["message"] for event in events(task_directory("regularize", into), "problem")]
    assert [words.rpartition(" ")[2] for words in said] == ["3", "1"]


def test_a_gpu_too_small_for_one_is_said(
    config: RunConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    into = tmp_path / "class"
    assert in_this_process(work(config, into), monkeypatch, 0) == DrawingError.exit_code
    (failed,) = events(task_directory("regularize", into), "failed")
    assert "one picture" in failed["title"] and "--width" in failed["remedy"]


def test_each_concept_has_its_own_number(config: RunConfig, tmp_path: Path) -> None:
    draw_pictures(tmp_path / "dogs", 3)
    concepts = [
        {"folder": config.dataset.folder, "repeats": 2},
        {"folder": str(tmp_path / "dogs"), "repeats": 5},
    ]
    values = config.model_dump()
    values["dataset"] |= {"folder": "", "concepts": concepts}
    several = RunConfig.model_validate(values)
    assert uses_of_concepts(several) == [12, 15] and uses(several) == 27


def test_a_long_class_prompt_is_a_class_word_too(config: RunConfig, tmp_path: Path) -> None:
    values = config.model_dump()
    prompt = "a portrait photograph of a man in a studio " * 8
    concept = {"folder": config.dataset.folder, "class_prompt": prompt}
    values["dataset"] |= {"folder": "", "concepts": [concept]}
    todo = work_of(RunConfig.model_validate(values), tmp_path / "class", {}, tmp_path)
    (order,) = todo.orders()
    assert order.prompt.prompt == prompt.strip()
    order.folder.mkdir(parents=True)


def test_two_classes_of_one_folder_keep_their_numbers(config: RunConfig, tmp_path: Path) -> None:
    into = tmp_path / "class"
    cats = [
        ClassPictureOptions.model_validate({"class_word": word, "count": 3, **DREW})
        for word in ("cat/dog", "cat dog")
    ]
    todo = Work(config, into, tuple(cats), (3, 3))
    first, second = todo.orders()
    assert first.folder == second.folder and first.mark != second.mark
    first.folder.mkdir(parents=True)
    Image.new("RGB", (8, 8)).save(first.path(1))
    assert [len(order.missing()) for order in todo.orders()] == [2, 3]


def test_nothing_is_drawn_among_the_pictures_of_the_subject(
    config: RunConfig, tmp_path: Path
) -> None:
    link = tmp_path / "link"
    link.symlink_to(config.dataset.folder)
    with pytest.raises(WizardError, match="a folder of their own"):
        work(config, link).orders()


def test_a_folder_that_cannot_be_made_is_said(
    config: RunConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "class").write_text("in the way")
    assert in_this_process(work(config, tmp_path / "class"), monkeypatch, 9) != 0
    (failed,) = events(task_directory("regularize", tmp_path / "class"), "failed")
    assert "not yours" not in failed["title"]


def test_the_folder_lies_beside_the_pictures(config: RunConfig, tmp_path: Path) -> None:
    assert default_folder(config) == tmp_path / "pictures-class"


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("a/b", "1_a b"),
        ("../..", "1_class"),
        ("mann\n", "1_mann"),
        ("käse", "1_käse"),
        (".", "1_class"),
        ("猫" * 100, "1_" + "猫" * 80),
    ],
)
def test_a_class_word_never_leads_out_of_the_folder(
    word: str, name: str, config: RunConfig, tmp_path: Path
) -> None:
    (order,) = work(config, tmp_path / "class", class_word=word).orders()
    assert order.folder == tmp_path / "class" / name
