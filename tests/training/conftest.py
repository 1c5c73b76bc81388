import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
import toy_flow
from training_runs import draw_pictures


@pytest.fixture(scope="module", autouse=True)
def toy_family(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The toy family, installed as another distribution's would be."""
    torch.set_num_threads(1)
    folder = toy_flow.register(tmp_path_factory.mktemp("site"))
    sys.path.append(str(folder))
    yield folder
    sys.path.remove(str(folder))


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_pictures(tmp_path_factory.mktemp("dataset") / "pictures")
