"""Prices and names of GPUs as people write them, and durations as they are told."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lora_wizard.core.estimates.figures import duration_text, parse_price, span_text
from lora_wizard.core.estimates.speeds import teraflops
from lora_wizard.core.hardware import Gpu

RTX_4090 = Gpu("NVIDIA GeForce RTX 4090", 24 << 30, 24 << 30, (8, 9))


@pytest.mark.parametrize(
    ("text", "amount", "currency"),
    [
        ("0.79", 0.79, ""),
        ("$0.79", 0.79, "$"),
        ("0,79 EUR/h", 0.79, ""),
        ("1.2€", 1.2, "€"),
        (" 2 $ / h ", 2, "$"),
    ],
)
def test_prices_as_people_write_them(text: str, amount: float, currency: str) -> None:
    found = parse_price(text)
    assert found
    assert found.amount == amount
    assert found.currency in (currency, "EUR")


@given(st.floats(0, 1e6), st.floats(1, 10))
def test_durations_read_in_order(seconds: float, times: float) -> None:
    assert duration_text(seconds)
    assert span_text(seconds, seconds * times)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "1 s"), (44, "44 s"), (700, "12 min"), (4000, "67 min"), (7300, "2 h"), (50000, "14 h")],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text


@pytest.mark.parametrize(
    ("name", "figure"),
    [
        ("NVIDIA GeForce RTX 4090", 165),
        ("NVIDIA GeForce RTX 3060 Laptop GPU", 25),
        ("NVIDIA GeForce RTX 3060 Ti", 32),
        ("Tesla T4", 65),
        ("NVIDIA A100-SXM4-80GB", 312),
        ("NVIDIA H100 PCIe", 756),
        ("NVIDIA L40S", 362),
        ("NVIDIA RTX A6000", 155),
        ("NVIDIA Something New", None),
    ],
)
def test_gpus_are_known_by_their_names(name: str, figure: float | None) -> None:
    assert teraflops(replace(RTX_4090, name=name)) == figure
