"""The page and its assets."""

from pathlib import Path

import pytest

from tests.web.world import World

pytestmark = pytest.mark.anyio

HASHED = "index-DiwrgTda.js"


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    assets = tmp_path / "dist" / "assets"
    assets.mkdir(parents=True)
    (assets.parent / "index.html").write_text("<!doctype html><title>Hedgerow</title>")
    (assets.parent / "secret.txt").write_text("secret")
    (assets / HASHED).write_text("let x")
    (assets / "favicon.svg").write_text("<svg/>")
    return tmp_path / "dist"


async def test_a_page_that_has_not_been_built_says_so(world: World) -> None:
    response = await world.http.get("/")
    assert (response.status_code, response.headers["content-type"]) == (503, "text/plain; charset=utf-8")
    assert "make ui" in response.text


async def test_the_page_is_asked_for_anew_and_hashed_assets_are_kept(world: World, dist: Path) -> None:
    page = await world.http.get("/")
    assert (page.status_code, page.text) == (200, "<!doctype html><title>Hedgerow</title>")
    assert (page.headers["content-type"], page.headers["cache-control"]) == ("text/html; charset=utf-8", "no-cache")
    head = await world.http.head("/")
    assert (head.status_code, head.content, head.headers["etag"]) == (200, b"", page.headers["etag"])
    asset = await world.http.get(f"/assets/{HASHED}")
    assert asset.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert asset.headers["content-type"].startswith("text/javascript")
    icon = await world.http.get("/assets/favicon.svg")
    assert (icon.headers["cache-control"], icon.headers["content-type"]) == ("no-cache", "image/svg+xml")


async def test_nothing_else_is_served(world: World, dist: Path) -> None:
    for path in (
        "/assets/../secret.txt",
        "/assets/%2e%2e/secret.txt",
        "/secret.txt",
        "/assets/..%2fsecret.txt",
        "/assets/a%00b",
    ):
        response = await world.http.get(path)
        assert (path, response.status_code) in [(path, 403), (path, 404)]
        assert response.headers["content-type"] == "application/problem+json"
    assert (await world.http.post("/")).status_code == 405
    assert (await world.http.delete("/assets/favicon.svg")).headers["allow"] == "GET, HEAD"
