"""The mini-program's browser build, as the API hands it out."""

from collections.abc import Iterator

import aiohttp
import pytest
from pydantic import SecretStr, ValidationError

from models.base.settings import Settings
from tests.api.conftest import CHECKOUT, Client, environment, free_port, serving

PLATFORM = "http://127.0.0.1:9797"


@pytest.fixture(scope="module")
def origin(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An API that was given a build; beside the build lies what is nobody's business."""
    folder = tmp_path_factory.mktemp("phone")
    (folder / "build" / "assets").mkdir(parents=True)
    (folder / "build" / "index.html").write_text("<title>着落</title>")
    (folder / "build" / "assets" / "main.js").write_text("'use strict'")
    (folder / "secret").write_text("secret")
    port = free_port()
    told = environment(settings, ZHUOLUO_PHONE_DIR=str(folder / "build"), ZHUOLUO_WECHAT_ORIGIN=PLATFORM)
    with serving(folder / "api.log", ["-m", "api", "--port", str(port)], port, told) as url:
        yield url


@pytest.fixture
def browser(origin: str, http: aiohttp.ClientSession) -> Client:
    """A browser before it."""
    return Client(origin, http)


async def test_the_page_and_its_files_come_with_a_policy_that_names_only_us_and_the_platform(browser: Client) -> None:
    files = {"/phone/": "着落", "/phone/?phone=15400000001": "着落", "/phone/assets/main.js": "strict"}
    for path, words in files.items():
        answer = await browser.get(path)
        assert (answer.status, words in answer.text) == (200, True), path
        policy = answer.headers["content-security-policy"]
        assert f"connect-src 'self' {PLATFORM};" in policy
        assert "script-src 'self';" in policy
        assert answer.headers["x-content-type-options"] == "nosniff"


async def test_the_page_is_told_where_the_platform_is(browser: Client) -> None:
    assert (await browser.get("/phone/config.json")).content == {"platform_origin": PLATFORM}


@pytest.mark.parametrize("path", ["/phone/absent.js", "/phone/..%2fsecret", "/phone/%2e%2e/secret", "/phone/assets/"])
async def test_nothing_beside_the_build_is_handed_out(browser: Client, path: str) -> None:
    answer = await browser.get(path)
    assert answer.status == 404 and "secret" not in answer.text


async def test_without_a_build_there_is_no_such_address(anyone: Client) -> None:
    assert (await anyone.get("/phone/")).code == "no_such_route"


def test_production_refuses_to_hand_the_page_out() -> None:
    with pytest.raises(ValidationError, match="WeChat delivers the mini-program"):
        Settings(mode="production", signing_key=SecretStr("k" * 32), phone_dir=CHECKOUT)
