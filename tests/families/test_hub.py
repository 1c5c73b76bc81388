"""A base model from the hub: a small hub of the test's own answers, over real HTTP."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

COMMIT = "0123456789abcdef0123456789abcdef01234567"
TOKEN = "hf_thisIsASecretTokenOfTheTests"
LOCATE = """
import sys
from lora_wizard.core.errors import WizardError
from lora_wizard.core.families.sd1 import SPEC
from lora_wizard.core.weights.base_model import locate
try:
    print(locate(sys.argv[1], SPEC.parts).folder)
except WizardError as error:
    print(error)
    sys.exit(2)
"""


class Hub:
    """Serves the files of a folder as repository me/tiny; me/gated and me/absent are refused."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.downloads: list[str] = []
        hub = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                hub.answer(self, body=True)

            def do_HEAD(self) -> None:
                hub.answer(self, body=False)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, request: BaseHTTPRequestHandler, *, body: bool) -> None:
        path = request.path.split("?")[0]
        if "me/gated" in path:
            return self.reply(request, 403, b"{}", {"X-Error-Code": "GatedRepo"}, body)
        if "me/tiny" not in path:
            return self.reply(request, 404, b"{}", {"X-Error-Code": "RepoNotFound"}, body)
        if path.startswith("/api/models/me/tiny"):
            return self.reply(request, 200, self.listing(path), {}, body)
        name = path.partition("/resolve/")[2].partition("/")[2]
        content = (self.folder / name).read_bytes()
        if body:
            self.downloads.append(name)
        etag = hashlib.sha1(content).hexdigest()
        headers = {"ETag": f'"{etag}"', "X-Repo-Commit": COMMIT}
        return self.reply(request, 200, content, headers, body)

    def listing(self, path: str) -> bytes:
        files = [path for path in sorted(self.folder.rglob("*")) if path.is_file()]
        names = [str(path.relative_to(self.folder)) for path in files]
        if "/tree/" in path:
            tree = [
                {"type": "file", "path": name, "size": file.stat().st_size, "oid": "0" * 40}
                for name, file in zip(names, files, strict=True)
            ]
            return json.dumps(tree).encode()
        siblings = [{"rfilename": name} for name in names]
        return json.dumps({"id": "me/tiny", "sha": COMMIT, "siblings": siblings}).encode()

    def reply(
        self,
        request: BaseHTTPRequestHandler,
        status: int,
        content: bytes,
        headers: dict[str, str],
        body: bool,
    ) -> None:
        request.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            request.send_header(name, value)
        request.end_headers()
        if body:
            request.wfile.write(content)


@pytest.fixture
def hub(tiny_sd: Path, tmp_path: Path) -> Iterator[Hub]:
    folder = Path(shutil.copytree(tiny_sd, tmp_path / "served"))
    for name in ("diffusion_pytorch_model.fp16.safetensors", "diffusion_pytorch_model.bin"):
        (folder / "unet" / name).write_bytes(b"the same weights again")
    (folder / "v1-5-pruned.safetensors").write_bytes(b"and again")
    served = Hub(folder)
    yield served
    served.server.shutdown()


def ask(name: str, cache: Path, url: str, **environment: str) -> subprocess.CompletedProcess[str]:
    # The hub's library reads its settings when it is imported: a process of its own for each.
    return subprocess.run(
        [sys.executable, "-c", LOCATE, name],
        env={
            **os.environ,
            "HF_ENDPOINT": url,
            "HF_HOME": str(cache),
            "HF_HUB_OFFLINE": "0",
            "HF_HUB_DISABLE_XET": "1",
            "HF_TOKEN": TOKEN,
            **environment,
        },
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_what_is_needed_is_downloaded_once_and_read_offline(hub: Hub, tmp_path: Path) -> None:
    first = ask("me/tiny", tmp_path / "hf", hub.url)
    assert first.returncode == 0, first.stdout + first.stderr
    fetched = set(hub.downloads)
    assert "unet/diffusion_pytorch_model.safetensors" in fetched
    assert "tokenizer/vocab.json" in fetched
    assert not [name for name in fetched if ".bin" in name or "fp16" in name or "pruned" in name]

    hub.downloads.clear()
    again = ask("me/tiny", tmp_path / "hf", hub.url, HF_HUB_OFFLINE="1")
    assert again.stdout == first.stdout
    assert not hub.downloads


def test_half_a_download_goes_on(hub: Hub, tmp_path: Path) -> None:
    folder = Path(ask("me/tiny", tmp_path / "hf", hub.url).stdout.strip())
    lost = folder / "vae" / "diffusion_pytorch_model.safetensors"
    lost.resolve().unlink()
    lost.unlink()
    hub.downloads.clear()
    assert ask("me/tiny", tmp_path / "hf", hub.url).returncode == 0
    assert hub.downloads == ["vae/diffusion_pytorch_model.safetensors"]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("me/gated", "Accept it at"),
        ("me/absent", "typing mistake"),
        ("m--e/tiny", "neither a folder"),
    ],
)
def test_what_the_hub_refuses_is_explained(hub: Hub, tmp_path: Path, name: str, told: str) -> None:
    done = ask(name, tmp_path / "hf", hub.url)
    assert done.returncode == 2
    assert told in done.stdout
    assert name in done.stdout
    assert TOKEN not in done.stdout + done.stderr


@pytest.mark.parametrize("offline", [pytest.param("0", marks=pytest.mark.slow), "1"])
def test_without_a_connection_it_says_so(tmp_path: Path, offline: str) -> None:
    # Nothing listens there; the hub's library tries for half a minute.
    done = ask("me/tiny", tmp_path / "hf", "http://127.0.0.1:9", HF_HUB_OFFLINE=offline)
    assert done.returncode == 2
    assert "cannot be reached" in done.stdout
    assert TOKEN not in done.stdout + done.stderr


def test_a_repository_with_pickled_weights_only_is_not_downloaded(hub: Hub, tmp_path: Path) -> None:
    for file in (hub.folder / "unet").glob("*.safetensors"):
        file.unlink()
    done = ask("me/tiny", tmp_path / "hf", hub.url)
    assert done.returncode == 2
    assert "pickled" in done.stdout
    assert not hub.downloads
