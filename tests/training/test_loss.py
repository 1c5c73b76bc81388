import torch
from hypothesis import given
from hypothesis import strategies as st
from lora_wizard.core.training.loss import sample_errors, share_of_window
from lora_wizard.core.training.noise import offset_noise


@given(st.lists(st.integers(1, 5), min_size=1, max_size=5), st.integers(0, 100))
def test_a_windows_loss_does_not_depend_on_how_it_is_split(sizes: list[int], seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    count = sum(sizes)
    errors = torch.rand(count, generator=generator, dtype=torch.float64)
    weights = torch.rand(count, generator=generator, dtype=torch.float64)
    shares = [
        share_of_window(some, weight, count)
        for some, weight in zip(errors.split(sizes), weights.split(sizes), strict=True)
    ]
    torch.testing.assert_close(torch.stack(shares).sum(), (errors * weights).mean())


def test_an_error_is_the_mean_over_a_whole_sample_in_fp32() -> None:
    target = torch.zeros(2, 3, 4, 4, dtype=torch.bfloat16)
    prediction = target.clone()
    prediction[1, 0] = 1.0
    errors = sample_errors(prediction, target)
    assert errors.dtype == torch.float32
    assert errors.tolist() == [0.0, torch.tensor(1 / 3).item()]


def test_offset_noise_moves_each_channel_as_a_whole() -> None:
    noise = torch.zeros(2, 3, 4, 4)
    latents = torch.zeros(2, 3, 4, 4)
    draws = torch.tensor([[1.0, -2.0, 0.5], [0.0, 1.0, 3.0]])
    shifted = offset_noise(noise, latents, draws, torch.tensor([0.1, 0.1]), 0.0)
    torch.testing.assert_close(shifted, (0.1 * draws)[:, :, None, None].expand(2, 3, 4, 4))


def test_the_adaptive_scale_follows_the_latents_mean_and_never_turns_round() -> None:
    latents = torch.stack([torch.full((1, 2, 2), -0.5), torch.full((1, 2, 2), 2.0)])
    draws = torch.ones(2, 1)
    more = offset_noise(torch.zeros_like(latents), latents, draws, torch.tensor([0.1, 0.1]), 0.2)
    torch.testing.assert_close(more[:, 0, 0, 0], torch.tensor([0.2, 0.5]))
    less = offset_noise(torch.zeros_like(latents), latents, draws, torch.tensor([0.1, 0.1]), -0.1)
    torch.testing.assert_close(less[:, 0, 0, 0], torch.tensor([0.05, 0.0]))
