"""Serve the built book as a static host does: compressed, and if asked under a strict policy.

python -m bookbuild.serve _build/html 8000
"""

from __future__ import annotations

import gzip
import sys
from contextlib import suppress
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

# KaTeX places the parts of a formula by styles in the page; nothing else asks for an exception.
POLICY = "default-src 'self'; style-src 'self' 'unsafe-inline'"
TEXTS = ("text/", "application/javascript", "application/json", "image/svg+xml")


class Handler(SimpleHTTPRequestHandler):
    """Sends one file, compressed where that helps, and 404.html where there is none."""

    protocol_version = "HTTP/1.1"
    strict = False

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing about each request."""

    def do_GET(self) -> None:
        """Answer a request."""
        path, status = Path(self.translate_path(self.path)), 200
        if path.is_dir():
            path /= "index.html"
        if not path.is_file():
            path, status = Path(self.directory) / "404.html", 404
        content = path.read_bytes() if path.is_file() else b""
        kind = self.guess_type(path)
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Cache-Control", "max-age=600")
        if self.strict:
            self.send_header("Content-Security-Policy", POLICY)
        if kind.startswith(TEXTS) and "gzip" in self.headers.get("Accept-Encoding", ""):
            content = gzip.compress(content, 6)
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        with suppress(ConnectionError):  # a reader who has left
            self.wfile.write(content)


class StrictHandler(Handler):
    """The same under the policy that forbids everything but the book's own files."""

    strict = True


def server(folder: Path, port: int = 0, strict: bool = False) -> ThreadingHTTPServer:
    """Return a server of a folder on this machine; port 0 takes one that is free."""
    handler = partial(StrictHandler if strict else Handler, directory=str(folder))
    return ThreadingHTTPServer(("localhost", port), handler)


if __name__ == "__main__":
    with server(Path(sys.argv[1]), int(sys.argv[2]), strict=True) as httpd:
        try:
            httpd.serve_forever()
        except KeyboardInterrupt:
            pass
