"""A hub in miniature, over real HTTP."""

from __future__ import annotations

import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

COMMIT = "0123456789abcdef0123456789abcdef01234567"


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
