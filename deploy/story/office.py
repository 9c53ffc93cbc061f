"""Somebody at the console: password, one-time code, session cookie, and the token that every write must say."""

import json
import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
import pyotp

from miniprogram_mock.phones import Problem
from miniprogram_mock.phones.wire import Wire
from models.base import clock

STEP_SECONDS = 30
Json = dict[str, Any]


class Office:
    """A browser at the console, signed in as one account."""

    def __init__(self, api_url: str, credentials: Json) -> None:
        jar = aiohttp.CookieJar(unsafe=True)  # the address is an IP, which browsers take cookies from as well
        self._session = aiohttp.ClientSession(cookie_jar=jar)
        self._api = Wire(self._session, api_url)
        self.login: str = credentials["login"]
        self._password: str = credentials["password"]
        self._totp = pyotp.TOTP(pyotp.parse_uri(credentials["totp_uri"]).secret)
        self._last_step = 0
        self._csrf = ""

    @classmethod
    def of_file(cls, api_url: str, file: Path) -> "Office":
        """With the credentials that `zhuoluo account create --keep` wrote."""
        return cls(api_url, json.loads(file.read_bytes()))

    async def close(self) -> None:
        """Close the browser."""
        await self._session.close()

    def code(self) -> str:
        """The authenticator's code of this moment, or the one after it: each is good once."""
        self._last_step = max(int(clock.now().timestamp()) // STEP_SECONDS, self._last_step + 1)
        return self._totp.generate_otp(self._last_step)

    async def sign_in(self, code: str | None = None) -> Json:
        """The session, with this code or a fresh one. Raises Problem."""
        said = {"login": self.login, "password": self._password, "code": code or self.code()}
        session: Json = await self._api.ask("POST", "/api/console/sign-in", json=said)
        self._csrf = session["csrf_token"]
        return session

    async def change_password(self) -> None:
        """What the console asks for at the first sign-in."""
        fresh = f"Zl-{secrets.token_urlsafe(16)}-9"
        await self.write("/password", {"current": self._password, "new": fresh})
        self._password = fresh

    async def read(self, path: str, **params: Any) -> Any:
        """GET below /api/console."""
        return await self._ask("GET", path, params=params)

    async def write(self, path: str, content: Any = None, *, method: str = "POST", **options: Any) -> Any:
        """POST (or another `method`) below /api/console."""
        return await self._ask(method, path, json=content, **options)

    async def upload(self, path: str, content: bytes, **params: Any) -> Any:
        """POST a file below /api/console."""
        headers = {"content-type": "application/octet-stream"}
        return await self._ask("POST", path, data=content, headers=headers, params=params)

    async def all(self, path: str, **params: Any) -> list[Json]:
        """Every row of a list."""
        return [row async for row in self._pages(path, params)]

    async def _pages(self, path: str, params: Json) -> AsyncIterator[Json]:
        after: Json = {}
        while True:
            page = await self.read(path, **params, limit=100, **after)
            for row in page["items"]:
                yield row
            if not page["next"]:
                return
            after = {"after": page["next"]}

    async def _ask(self, method: str, path: str, **options: Any) -> Any:
        """Signs in again where the session has ended meanwhile: the story moves the clock by days."""
        try:
            return await self._once(method, path, options)
        except Problem as refused:
            if refused.code != "session_ended":
                raise
        await self.sign_in()
        return await self._once(method, path, options)

    async def _once(self, method: str, path: str, options: Json) -> Any:
        given = options.get("headers", {})
        headers = {"x-csrf-token": self._csrf, "idempotency-key": str(uuid4()), **given}
        return await self._api.ask(method, f"/api/console{path}", **{**options, "headers": headers})
