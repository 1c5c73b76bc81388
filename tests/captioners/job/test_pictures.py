"""Which pictures are captioned."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from lora_wizard.captioners.job.pictures import find_pictures
from lora_wizard.captioners.job.task import Pictures
from lora_wizard.core.config import CaptionOptions, DatasetOptions
from lora_wizard.core.dataset.caption_files import Mode
from lora_wizard.core.errors import ProblemsError

from .conftest import Captioned, text_of


def table(path: Path, texts: dict[str, str]) -> None:
    lines = (json.dumps({"file_name": name, "text": text}) for name, text in texts.items())
    path.write_text("\n".join(lines))


def wanted(pictures: Captioned, mode: Mode, metadata: str = "") -> tuple[dict[str, str], int]:
    """Name of each picture that is to be captioned -> what counts of what it has; and how many are
    not, as they have one."""
    captions = CaptionOptions(metadata=metadata)
    task = Pictures(DatasetOptions(folder=str(pictures.folder)), captions).task("toy", {}, mode)
    found = find_pictures(task)
    return {item.file.name: item.caption for item in found.wanted}, found.kept


def test_a_caption_in_a_table_is_one_unless_a_file_takes_its_place(pictures: Captioned) -> None:
    pictures.draw(5)
    table(pictures.folder / "metadata.jsonl", {f"0000{n}.png": f"told {n}" for n in (0, 1, 2)})
    pictures.caption(1).write_text("written")
    pictures.caption(2).write_text("\n")
    pictures.caption(3).write_text("written")
    assert wanted(pictures, "missing") == ({"00002.png": "", "00004.png": ""}, 3)
    found, _ = wanted(pictures, "append")
    assert found == dict.fromkeys([f"0000{n}.png" for n in (1, 2, 3, 4)], "") | {
        "00000.png": "told 0"
    }
    elsewhere = pictures.folder.parent / "all.json"
    elsewhere.write_text(json.dumps({"00004": "named"}))
    assert wanted(pictures, "missing", str(elsewhere)) == ({"00002.png": ""}, 4)
    elsewhere.write_text("{")
    with pytest.raises(ProblemsError):
        wanted(pictures, "missing", str(elsewhere))
    assert len(wanted(pictures, "overwrite", str(elsewhere))[0]) == 5


def test_what_a_table_says_is_kept_or_added_to(pictures: Captioned) -> None:
    pictures.draw(2)
    table(pictures.folder / "metadata.jsonl", {"00000.png": "told"})
    assert pictures.run("missing") == 0
    assert pictures.captions() == {1: text_of(1)}
    assert pictures.run("append") == 0
    assert pictures.captions() == {0: f"told, {text_of(0)}", 1: text_of(1)}
    assert pictures.run("append") == 0
    assert pictures.captions() == {0: f"told, {text_of(0)}", 1: text_of(1)}


def test_what_cannot_be_written_is_not_asked_of_the_model(pictures: Captioned) -> None:
    pictures.draw(2)
    pictures.caption(0).symlink_to(pictures.folder.parent / "elsewhere")
    assert wanted(pictures, "missing") == ({"00001.png": ""}, 0)
    assert pictures.run("overwrite") == 0
    assert pictures.asked.total() == 1
    assert pictures.events("captions")[0]["left"] == 1
