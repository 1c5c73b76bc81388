"""Pictures on their way to the encoder: decoded ahead, in order, and named when they fail."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from lora_wizard.core import places
from lora_wizard.core.dataset.views import View
from lora_wizard.core.errors import WizardError
from lora_wizard.core.run.directory import RunDirectory
from lora_wizard.core.run.job import run_job
from lora_wizard.core.training.__main__ import train
from lora_wizard.core.training.pictures import Decoder
from toy_flow import ToyFlow
from training_runs import events, toy_config


@pytest.fixture(autouse=True)
def cold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


class Slow(Decoder):
    """Decodes numbers instead of pictures: the earlier ones last longest, and some fail."""

    def __init__(self, failing: frozenset[int] = frozenset()) -> None:
        self.begun: list[int] = []
        self._failing, self._lock = failing, threading.Lock()
        self._later = threading.Condition(self._lock)

    def pixels(self, view: View) -> torch.Tensor:
        number = int(str(view))
        with self._later:
            self.begun.append(number)
            self._later.notify_all()
            if number % 4 == 0:
                # Until a later one has begun, where there is one that may.
                self._later.wait_for(lambda: max(self.begun) > number, timeout=0.2)
        if number in self._failing:
            raise WizardError(f"number {number}", "", "")
        return torch.tensor(number)


def decoded(slow: Slow, count: int) -> Iterator[int]:
    for tensor in slow.ahead(range(count)):  # pyright: ignore[reportArgumentType]
        yield int(tensor)


def test_pictures_come_in_their_order_and_few_are_decoded_ahead() -> None:
    slow = Slow()
    ahead: list[int] = []
    for place, number in enumerate(decoded(slow, 40)):
        assert number == place
        ahead.append(len(slow.begun) - place)
    assert max(ahead) <= 10
    assert sorted(slow.begun) == list(range(40))


def test_an_error_comes_where_its_picture_would() -> None:
    slow = Slow(frozenset({5}))
    seen: list[int] = []
    with pytest.raises(WizardError, match="number 5"):
        seen.extend(decoded(slow, 40))
    assert len(slow.begun) < 20


def test_what_is_given_up_is_not_decoded_to_the_end() -> None:
    slow, before = Slow(), set(threading.enumerate())
    for number in (pictures := decoded(slow, 1000)):
        if number == 3:
            break
    pictures.close()  # pyright: ignore[reportAttributeAccessIssue]
    assert len(slow.begun) < 20
    assert set(threading.enumerate()) <= before


@pytest.mark.parametrize("cached", [True, False])
def test_a_picture_of_which_the_vae_makes_no_number_is_named_and_not_cached(
    cached: bool, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Poisoned(ToyFlow):
        def encode_images(self, pixels: torch.Tensor) -> torch.Tensor:
            encoded = super().encode_images(pixels)
            # The fourth picture of the six, by its colour.
            encoded[pixels[:, 0, 0, 0] < -0.6, 1, 2, 3] = torch.nan
            return encoded

    monkeypatch.setattr("toy_flow.ToyFlow", Poisoned)
    dataset = {"folder": str(pictures), "bucket_step": 8, "cache_latents": cached}
    run = RunDirectory.create(toy_config(pictures, tmp_path / "runs", dataset=dataset))
    assert run_job(run.path, train) == 1
    (failed,) = events(run, "failed")
    assert "not a number" in failed["title"]
    name = Path(failed["message"]).name
    assert name in {"02.png", "03.png"}
    good = len(list((places.cache_folder() / "encoded").rglob("*.safetensors")))
    assert good < 6 if cached else good == 0
