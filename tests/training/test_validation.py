"""The validation loss: always the same noise, nothing of training's, and no trace in the file."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from lora_wizard.core import preflight
from lora_wizard.core.config import RunConfig
from lora_wizard.core.run.job import Job
from lora_wizard.core.training.preparation import prepare
from lora_wizard.core.training.trainer import Trainer
from PIL import Image
from safetensors.torch import load
from training_runs import draw_pictures, events, examine, files, sd_config, start, toy_config

Configure = Callable[..., RunConfig]


@pytest.fixture(params=["toy", "sd", "sd, frozen text"])
def configure(request: pytest.FixtureRequest) -> Configure:
    if request.param == "toy":
        return toy_config
    base: Path = request.getfixturevalue("tiny_sd")
    frozen = {"text_encoder_learning_rate": "off"} if "frozen" in request.param else {}

    def configured(pictures: Path, runs: Path, **sections: dict[str, Any]) -> RunConfig:
        optimizer = {**frozen, **sections.pop("optimizer", {})}
        return sd_config(base, pictures, runs, optimizer=optimizer, **sections)

    return configured


@pytest.fixture
def others(tmp_path: Path) -> Path:
    folder = draw_pictures(tmp_path / "others", count=5, word="mika seen from afar,")
    for index in (0, 3, 4):
        for ending in ("png", "txt"):
            (folder / f"{index:02d}.{ending}").unlink()
    return folder


def taken(run: Any) -> list[tuple[int, float]]:
    return [(event["step"], event["loss"]) for event in events(run, "validation")]


def test_it_is_taken_at_the_start_each_epoch_and_the_end_and_falls(
    configure: Configure, pictures: Path, others: Path, tmp_path: Path
) -> None:
    config = configure(
        pictures,
        tmp_path / "runs",
        training={"epochs": 5},
        samples={"prompts": []},
        validation={"folder": str(others), "every_epochs": 2, "timesteps": 4},
    )
    losses = taken(start(config))
    assert [step for step, _ in losses] == [0, 6, 12, 15]
    assert losses[-1][1] < losses[0][1]


def test_a_stop_during_the_last_step_leaves_its_loss_to_be_taken(
    pictures: Path, others: Path, tmp_path: Path
) -> None:
    config = toy_config(
        pictures,
        tmp_path / "runs",
        samples={"prompts": []},
        validation={"folder": str(others), "every_epochs": 1},
    )
    whole = taken(start(config))

    def stopped_at_last(job: Job) -> None:
        trainer = prepare(job)
        tell = trainer.tell

        def told(epoch: int, loss: float, gradient_norm: float) -> None:
            tell(epoch, loss, gradient_norm)
            if trainer.step == trainer.schedule.total_steps:
                (job.directory.control_path / "stop").touch()

        trainer.tell = told
        trainer.train()

    assert taken(start(config, stopped_at_last)) == whole


def test_training_does_not_notice_it(
    configure: Configure, pictures: Path, others: Path, tmp_path: Path
) -> None:
    validation = {"folder": str(others), "every_steps": 1}
    with_it = start(configure(pictures, tmp_path / "a", validation=validation))
    without = start(configure(pictures, tmp_path / "b"))
    losses = [[event["loss"] for event in events(run, "step")] for run in (with_it, without)]
    assert losses[0] == losses[1]
    for name, data in files(with_it).items():
        other = files(without)[name]
        skip = [8 + int.from_bytes(file[:8], "little") for file in (data, other)]
        assert data[skip[0] :] == other[skip[1] :]


def test_pictures_of_the_same_names_are_not_taken_for_each_other(
    pictures: Path, tmp_path: Path
) -> None:
    """Two folders ``pictures``, each with a ``00.png`` of as many pixels."""
    config = toy_config(pictures, tmp_path / "without", samples={"prompts": []})
    others = tmp_path / "others" / pictures.name
    for picture in draw_pictures(others, count=3).glob("*.png"):
        turned = Image.open(picture).transpose(Image.Transpose.ROTATE_180)
        turned.save(picture)
    validation = {"folder": str(others)}
    validated = toy_config(
        pictures, tmp_path / "with", samples={"prompts": []}, validation=validation
    )
    tensors = [load(files(start(each))["toy.safetensors"]) for each in (validated, config)]
    assert tensors[0].keys() == tensors[1].keys()
    assert all(torch.equal(tensors[0][name], tensors[1][name]) for name in tensors[0])


def test_it_is_the_mean_error_at_evenly_spread_timesteps(
    pictures: Path, others: Path, tmp_path: Path, tiny_sd: Path
) -> None:
    """Taken again with diffusers' scheduler and nothing of the loop's."""
    from diffusers import DDPMScheduler

    config = sd_config(
        tiny_sd, pictures, tmp_path, validation={"folder": str(others), "timesteps": 3}
    )
    seen: list[tuple[torch.Tensor, torch.Tensor, torch.Tensor]] = []

    def look(trainer: Trainer) -> None:
        validation = trainer.validation
        assert validation
        family = validation._family
        predict = family.predict

        def spied(batch: Any, noise: Any, timesteps: Any, input_noise: Any = None) -> Any:
            scheduler: Any = DDPMScheduler.from_pretrained(tiny_sd, subfolder="scheduler")
            noisy = scheduler.add_noise(batch.latents, noise, timesteps)
            prediction = family.denoiser(noisy, timesteps, batch.conditioning["text"]).sample
            seen.append((prediction, noise, timesteps))
            return predict(batch, noise, timesteps)

        family.predict = spied
        losses.extend([validation.measure(0), validation.measure(0)])

    losses: list[float | None] = []
    examine(config, look)
    errors = [float(((prediction - noise) ** 2).mean()) for prediction, noise, _ in seen]
    assert len(seen) == 2 * 2 * 3
    assert losses[0] == losses[1] == pytest.approx(sum(errors[:6]) / 6, rel=1e-5)
    assert [int(timestep) for *_, timestep in seen[:3]] == [166, 500, 833]
    assert not torch.equal(seen[0][1], seen[1][1]), "each timestep has noise of its own"
    assert torch.equal(seen[0][1], seen[6][1])


def test_offsets_and_weights_of_training_do_not_change_it(
    pictures: Path, others: Path, tmp_path: Path, tiny_sd: Path
) -> None:
    def first(**loss: Any) -> float:
        validation = {"folder": str(others)}
        config = sd_config(tiny_sd, pictures, tmp_path, loss=loss, validation=validation)

        def work(job: Job) -> None:
            trainer = prepare(job)
            assert trainer.validation
            losses.append(trainer.validation.measure(0))

        losses: list[float | None] = []
        start(config, work)
        assert losses[0] is not None
        return losses[0]

    assert first() == first(noise_offset=0.5, min_snr_gamma=1.0)


def test_check_names_what_is_wrong_with_them(
    pictures: Path, others: Path, tmp_path: Path, tiny_sd: Path
) -> None:
    def told(folder: Path, **dataset: int) -> list[tuple[str, str]]:
        validation = {"folder": str(folder)}
        config = sd_config(tiny_sd, pictures, tmp_path, validation=validation)
        options = config.dataset.model_copy(update=dataset)
        config = config.model_copy(update={"dataset": options})
        return [
            (problem.severity, problem.message)
            for problem in preflight.check(config, decode=True)
            if problem.where == "validation.folder" or str(others) in problem.where
        ]

    assert told(others) == []
    assert told(others, bucket_max_side=8) == [], "said once, of the option that is wrong"
    (others / "01.png").write_bytes((pictures / "01.png").read_bytes())
    ((severity, message),) = told(others)
    assert severity == "warning" and message.startswith("01.png: trained on")
    assert [severity for severity, _ in told(pictures)] == ["error", "warning"]
    assert [severity for severity, _ in told(tmp_path / "nowhere")] == ["error"]
