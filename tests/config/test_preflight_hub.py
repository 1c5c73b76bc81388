"""A base model on the hub: found in the cache, or asked for at a server that stands in for it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

TOKEN = "hf_" + "Zz9" * 12
ASK = """
import json, sys
from dataclasses import asdict
from lora_wizard.core import preflight_base
from lora_wizard.core.config import RunConfig
from lora_wizard.core.families import registry
preflight_base.HUB_PATIENCE = float(sys.argv[2])
config = RunConfig.model_validate({"model": {"base": sys.argv[1]}})
found = preflight_base.inspect_base(config, registry.find("sd1"))
print(json.dumps([asdict(problem) for problem in found.problems]))
print(json.dumps([found.lora_values_per_rank, found.download_bytes]))
"""
SIZES = {
    "unet/diffusion_pytorch_model.safetensors": 3_000_000_000,
    "unet/diffusion_pytorch_model.fp16.safetensors": 1_500_000_000,
    "vae/diffusion_pytorch_model.fp16.safetensors": 160_000_000,
    "text_encoder/model.safetensors": 240_000_000,
}


class Hub(BaseHTTPRequestHandler):
    """Knows models of the owners whole, vast, pickled and gated; never answers for slow/model."""

    def do_GET(self) -> None:
        owner = self.path.removeprefix("/api/models/").partition("/")[0]
        if owner == "slow":
            time.sleep(30)
        elif owner == "gated":
            self._answer(403, {"error": "gated"}, {"X-Error-Code": "GatedRepo"})
        elif owner == "unknown":
            self._answer(404, {"error": "none"}, {"X-Error-Code": "RepoNotFound"})
        else:
            known = {"whole": SIZES, "vast": dict.fromkeys(SIZES, 10**18)}
            files = known.get(owner, {"unet/diffusion_pytorch_model.bin": 1})
            siblings = [{"rfilename": name, "size": size} for name, size in files.items()]
            self._answer(200, {"id": f"{owner}/model", "siblings": siblings})

    def _answer(
        self, status: int, body: dict[str, Any], headers: dict[str, str] | None = None
    ) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        for name, value in {**(headers or {}), "Content-Length": str(len(data))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def hub() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def ask(name: str, home: Path, endpoint: str = "", patience: float = 30) -> tuple[Any, Any]:
    """(problems, [values per rank, bytes to download]) for ``name``."""
    environment = {**os.environ, "HF_HOME": str(home), "HF_HUB_OFFLINE": "0", "HF_TOKEN": TOKEN}
    environment = {**environment, "HF_ENDPOINT": endpoint} if endpoint else environment
    if not endpoint:
        environment["HF_HUB_OFFLINE"] = "1"
    ran = subprocess.run(
        [sys.executable, "-c", ASK, name, str(patience)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ran.returncode == 0, ran.stderr
    assert TOKEN not in ran.stdout
    problems, numbers = ran.stdout.splitlines()
    return json.loads(problems), json.loads(numbers)


def test_what_will_be_downloaded_is_a_note_with_its_size(hub: str, tmp_path: Path) -> None:
    (problem,), (_, download) = ask("whole/model", tmp_path, hub)
    assert problem["severity"] == "note"
    assert download == 3_000_000_000 + 160_000_000 + 240_000_000
    assert "3.4 GB" in problem["message"]


def test_a_download_that_finds_no_room_is_an_error(hub: str, tmp_path: Path) -> None:
    (note, problem), _ = ask("vast/model", tmp_path, hub)
    assert (note["severity"], problem["severity"]) == ("note", "error")
    assert str(tmp_path) in problem["message"] and "HF_HOME" in problem["remedy"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("gated/model", "licence"),
        ("unknown/model", "does not know"),
        ("pickled/model", ".safetensors"),
    ],
)
def test_a_base_that_the_hub_does_not_give(hub: str, tmp_path: Path, name: str, said: str) -> None:
    (problem,), _ = ask(name, tmp_path, hub)
    assert (problem["where"], problem["severity"]) == ("model.base", "error")
    assert said in problem["message"]
    assert problem["remedy"]


def test_a_hub_that_does_not_answer_is_not_waited_for(hub: str, tmp_path: Path) -> None:
    (problem,), _ = ask("slow/model", tmp_path, hub, patience=0.3)
    assert "no answer in 0.3 seconds" in problem["message"]


def test_offline_is_said_without_trying(tmp_path: Path) -> None:
    (problem,), _ = ask("whole/model", tmp_path)
    assert "HF_HUB_OFFLINE" in problem["message"]


def test_what_is_whole_in_the_cache_needs_no_hub(tiny_sd: Path, tmp_path: Path) -> None:
    repository = tmp_path / "hub/models--whole--model"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs/main").write_text("abc")
    snapshot = Path(shutil.copytree(tiny_sd, repository / "snapshots/abc"))
    problems, (values, _) = ask("whole/model", tmp_path)
    assert problems == []
    assert values > 0
    (snapshot / "vae/diffusion_pytorch_model.safetensors").unlink()
    (problem,), _ = ask("whole/model", tmp_path)
    assert problem["severity"] == "error"
