"""The page in the browser: files that the build of web/ui left in its folder."""

import re
from pathlib import Path

from tornado.web import StaticFileHandler

from web.handling.handler import Shielded

_HASHED = re.compile(r"-[A-Za-z0-9_-]{8}\.\w+$")
"""The end of a name that has its content's hash in it: another content has another name."""
YEAR_S = 31_536_000


class IndexHandler(Shielded):
    """GET /: asked for anew each time, for it names the assets of the day."""

    def initialize(self, folder: Path) -> None:
        self._page = folder / "index.html"

    def get(self) -> None:
        self.set_header("Cache-Control", "no-cache")
        try:
            page = self._page.read_bytes()
        except FileNotFoundError:
            self.set_status(503)
            self.set_header("Content-Type", "text/plain; charset=utf-8")
            self.finish("The page has not been built: run `make ui`. The API is there.\n")
            return
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.finish(page)

    def head(self) -> None:
        self.get()


class AssetHandler(Shielded, StaticFileHandler):
    """GET /assets/…: those with a hash in their name never change."""

    def set_extra_headers(self, path: str) -> None:
        fixed = _HASHED.search(path)
        self.set_header("Cache-Control", f"public, max-age={YEAR_S}, immutable" if fixed else "no-cache")
