"""Thousands of pictures."""

from __future__ import annotations

import itertools
import os
import threading
from pathlib import Path

import pytest
from PIL import Image

from .conftest import Captioned, colour_of

MIB = 1 << 20


def resident(pid: int) -> int:
    """Bytes of memory of a process; 0 when it has ended."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.slow
def test_five_thousand_pictures_take_no_more_memory_than_five_hundred(
    pictures: Captioned,
) -> None:
    for number in range(5_000):
        # Decoded, each takes more than a megabyte.
        Image.new("RGB", (700, 700), colour_of(number)).save(pictures.picture(number))
    process = pictures.begin(batch_size=8)
    seen: list[tuple[int, int]] = []
    ended = threading.Event()
    for _ in itertools.count():
        if process.poll() is not None:
            break
        seen.append((pictures.asked.total(), resident(process.pid)))
        ended.wait(0.25)
    assert process.returncode == 0
    assert len(pictures.captions()) == 5_000
    early = max(bytes for done, bytes in seen if done < 500)
    late = max(bytes for _, bytes in seen)
    assert late < early + 40 * MIB
    assert set(pictures.asked.values()) == {1}
