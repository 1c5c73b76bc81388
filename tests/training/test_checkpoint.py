from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from lora_wizard.core.optimizers import state as optimizer_state
from lora_wizard.core.training import checkpoint
from lora_wizard.core.training.checkpoint import State


def state_at(step: int) -> State:
    return State(
        step=step,
        samples_seen=step * 3,
        network={"layer.down": torch.full((2, 2), float(step))},
        optimizer_tensors={"0.exp_avg": torch.full((2, 2), step / 7)},
        optimizer_scalars={"groups": [{"lr": 0.1 + step}], "state": {}},
        scaler={"scale": 65536.0},
        counters={"setbacks": step},
        belongs_to={"dataset": "abc"},
        environment={"torch": "2"},
    )


def report_into(reports: list[str]) -> Callable[[Path, str], None]:
    return lambda place, why: reports.append(f"{place.name}: {why}")


def test_a_state_comes_back_as_it_was(tmp_path: Path) -> None:
    checkpoint.save(tmp_path, state_at(4))
    back = checkpoint.newest(tmp_path, report_into([]))
    assert back is not None
    assert (back.step, back.samples_seen, back.scaler) == (4, 12, {"scale": 65536.0})
    assert back.counters == {"setbacks": 4}
    assert back.optimizer_scalars == state_at(4).optimizer_scalars
    assert torch.equal(back.network["layer.down"], state_at(4).network["layer.down"])
    assert torch.equal(back.optimizer_tensors["0.exp_avg"], torch.full((2, 2), 4 / 7))


def test_two_states_are_kept(tmp_path: Path) -> None:
    for step in (1, 2, 3, 10):
        checkpoint.save(tmp_path, state_at(step))
    assert sorted(place.name for place in tmp_path.iterdir()) == ["step-00000003", "step-00000010"]


@pytest.mark.parametrize("name", ["network.safetensors", "optimizer.safetensors", "state.json"])
def test_a_damaged_state_is_passed_over_and_reported(tmp_path: Path, name: str) -> None:
    checkpoint.save(tmp_path, state_at(1))
    damaged = checkpoint.save(tmp_path, state_at(2)) / name
    data = damaged.read_bytes()
    for broken in (data[:-3], data[:-9] + b"?" + data[-8:], b"", None):
        damaged.unlink() if broken is None else damaged.write_bytes(broken)
        reports: list[str] = []
        back = checkpoint.newest(tmp_path, report_into(reports))
        assert back is not None and back.step == 1
        unfinished = name == "state.json" and broken is None
        assert len(reports) == (0 if unfinished else 1), (broken, reports)


def test_every_byte_of_the_manifest_counts(tmp_path: Path) -> None:
    manifest = checkpoint.save(tmp_path, state_at(2)) / "state.json"
    data = manifest.read_bytes()
    before = checkpoint.problem_of(manifest.parent)
    assert before is None
    for place in range(len(data)):
        if data[place : place + 1].isspace():
            continue
        manifest.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        assert checkpoint.problem_of(manifest.parent) is not None, data[place : place + 20]


def test_a_damaged_state_is_written_anew_when_its_step_comes_again(tmp_path: Path) -> None:
    place = checkpoint.save(tmp_path, state_at(2))
    (place / "network.safetensors").write_bytes(b"torn")
    checkpoint.save(tmp_path, state_at(2))
    assert checkpoint.problem_of(place) is None


def test_older_states_outlive_a_save_that_fails(tmp_path: Path) -> None:
    checkpoint.save(tmp_path, state_at(1))
    checkpoint.save(tmp_path, state_at(2))
    (tmp_path / "step-00000003").write_text("in the way")
    with pytest.raises(Exception, match=r"step-00000003|network"):
        checkpoint.save(tmp_path, state_at(3))
    back = checkpoint.newest(tmp_path, report_into([]))
    assert back is not None and back.step == 2
    assert checkpoint.problem_of(tmp_path / "step-00000001") is None


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 6), st.sampled_from(["AdamW", "SGD", "RMSprop", "Adagrad"]))
def test_an_optimizer_goes_on_exactly(steps: int, kind: str) -> None:
    def build() -> tuple[torch.nn.Linear, torch.optim.Optimizer]:
        torch.manual_seed(0)
        layer = torch.nn.Linear(3, 2)
        groups = [{"params": [layer.weight], "lr": 0.1}, {"params": [layer.bias], "lr": 0.01}]
        options = {"momentum": 0.9} if kind in ("SGD", "RMSprop") else {}
        return layer, getattr(torch.optim, kind)(groups, **options)

    def step(layer: torch.nn.Linear, optimizer: torch.optim.Optimizer) -> None:
        layer(torch.ones(4, 3)).square().mean().backward()
        optimizer.step()
        optimizer.zero_grad()

    layer, optimizer = build()
    for _ in range(steps):
        step(layer, optimizer)
    again, restored = build()
    again.load_state_dict(layer.state_dict())
    optimizer_state.restore(restored, *optimizer_state.dump(optimizer))
    for _ in range(3):
        step(layer, optimizer)
        step(again, restored)
    assert torch.equal(layer.weight, again.weight) and torch.equal(layer.bias, again.bias)


def test_another_networks_optimizer_is_refused() -> None:
    small = torch.nn.Linear(2, 2)
    optimizer = torch.optim.AdamW(small.parameters())
    small(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    kept = optimizer_state.dump(optimizer)
    with pytest.raises(ValueError, match="shape"):
        optimizer_state.restore(torch.optim.AdamW(torch.nn.Linear(1, 1).parameters()), *kept)
