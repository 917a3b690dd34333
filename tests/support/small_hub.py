"""A Hugging Face hub of a few files on loopback: what downloads need, and the ways they fail."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

COMMIT = "c0ffee" * 6 + "beef"


@dataclass
class Hub:
    """What the hub serves and how it misbehaves.

    Attributes:
        files: repository to file name to bytes.
        gated: repositories that answer 403 to strangers.
        cut_at: file name to how many bytes of it are sent before the line goes dead.
        wrong: file name to the bytes that are sent in place of the true ones.
        ranges: the Range headers that were asked for, in order.
        asked: every path that was asked for.
    """

    files: dict[str, dict[str, bytes]] = field(default_factory=dict)
    gated: set[str] = field(default_factory=set)
    cut_at: dict[str, int] = field(default_factory=dict)
    wrong: dict[str, bytes] = field(default_factory=dict)
    ranges: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    url: str = ""

    def __enter__(self) -> Hub:
        hub = self

        class Handler(_Handler):
            pass

        Handler.hub = hub
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    hub: Hub
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Tests say themselves what went wrong."""

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def _answer(self, with_body: bool) -> None:
        self.hub.asked.append(self.path)
        path = self.path.split("?")[0]
        if api := re.fullmatch(r"/api/models/([^/]+/[^/]+)(?:/revision/([^/]+))?", path):
            return self._describe(api.group(1), api.group(2) or "main")
        if file := re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path):
            return self._send_file(*file.groups(), with_body)
        return self._refuse(404, "RepoNotFound", "no such page")

    def _refuse(self, status: int, code: str, message: str) -> None:
        body = json.dumps({"error": message}).encode()
        self.send_response(status)
        self.send_header("X-Error-Code", code)
        self.send_header("X-Error-Message", message)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _admitted(self, repo: str, revision: str) -> bool:
        if repo in self.hub.gated:
            self._refuse(403, "GatedRepo", f"Access to model {repo} is restricted")
        elif repo not in self.hub.files:
            self._refuse(404, "RepoNotFound", "Repository not found")
        elif revision not in ("main", COMMIT):
            self._refuse(404, "RevisionNotFound", "Invalid rev id")
        else:
            return True
        return False

    def _describe(self, repo: str, revision: str) -> None:
        if not self._admitted(repo, revision):
            return
        siblings = [
            {
                "rfilename": name,
                "size": len(data),
                "blobId": hashlib.sha1(data).hexdigest(),
                "lfs": {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data), "pointerSize": 134},
            }
            for name, data in self.hub.files[repo].items()
        ]
        body = json.dumps({"id": repo, "modelId": repo, "sha": COMMIT, "siblings": siblings, "tags": []}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _send_file(self, repo: str, revision: str, name: str, with_body: bool) -> None:
        if not self._admitted(repo, revision):
            return
        true = self.hub.files[repo].get(name)
        if true is None:
            return self._refuse(404, "EntryNotFound", "Entry not found")
        data = self.hub.wrong.get(name, true)
        start = 0
        if with_body and (asked := self.headers.get("Range")):
            self.hub.ranges.append(asked)
            start = int(re.findall(r"bytes=(\d+)-", asked)[0])
        self.send_response(206 if start else 200)
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("ETag", f'"{hashlib.sha256(true).hexdigest()}"')
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(len(data) - start))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        self.end_headers()
        if not with_body:
            return
        stop = self.hub.cut_at.get(name, len(data))
        self.wfile.write(data[start:stop])
        if stop < len(data):
            self.wfile.flush()
            self.close_connection = True
            self.connection.close()
