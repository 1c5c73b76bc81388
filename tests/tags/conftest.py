"""The home that every test of a screen lives in."""

import pytest
from screens import home

__all__ = ["anyio_backend", "home"]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
