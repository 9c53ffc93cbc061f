"""One cadre's phone: what the mini-program does, without its screens."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import aiohttp

from miniprogram_mock.phones.wire import Problem, Wire

TODO = "ZL_TODO"
ENDED = frozenset({"refresh_expired", "refresh_invalid", "refresh_reused", "sign_in_ended"})
Json = dict[str, Any]


class Phone:
    """The phone with a mobile number. Its openids are given by the platform, `me` by the product once signed in."""

    def __init__(self, number: str, *, api: Wire, wechat: Wire) -> None:
        self.number = number
        self.openid = self.service_openid = ""
        self.me: Json = {}
        self._api, self._wechat = api, wechat
        self._access = self._refresh = ""
        self._renewing = asyncio.Lock()

    @property
    def person_id(self) -> str:
        """The product's id of the person; signed in only."""
        return str(self.me["id"])

    # The platform.

    async def register(self, **facts: Any) -> Json:
        """Become known to the platform; `facts` as its control API takes them (`following`, `has_unionid`…)."""
        known: Json = await self._wechat.ask("POST", "/_phone/register", json={"phone": self.number, **facts})
        self.known_as(known)
        return known

    def known_as(self, known: Json) -> None:
        """What the platform said of the phone when it was registered."""
        self.openid, self.service_openid = known["openid"], known["service_openid"]

    async def consent(self, choice: str = "accept", template: str = TODO) -> str:
        """Tap on `wx.requestSubscribeMessage` and report to the product what the platform answered: accept, reject…"""
        answer: Json = await self._platform("subscribe", template_ids=[template], choice=choice)
        chosen = str(answer[template])
        await self.write("/messages/consent", {"report_id": str(uuid4()), "choices": {template: chosen}})
        return chosen

    async def consents_left(self) -> int:
        """How many more messages the product may send, by its own ledger."""
        return int((await self.read("/messages/consent"))["remaining"])

    async def follow(self) -> None:
        """Follow the service account, whose messages need no consent each."""
        await self._platform("follow")

    async def notifications(self) -> list[Json]:
        """The service notifications that the phone shows, newest first."""
        shown: Json = await self._wechat.ask("GET", f"/_phone/{self.openid}/notifications")
        return list(shown["notifications"])

    async def _platform(self, action: str, **content: Any) -> Json:
        answer: Json = await self._wechat.ask("POST", f"/_phone/{self.openid}/{action}", json=content)
        return answer

    # Signing in.

    async def sign_in(self, zone: str | None = None) -> Json:
        """wx.login, at first also the phone number; who the person is. Raises Problem (`not_in_roster`…)."""
        code = (await self._platform("login"))["code"]
        answer = await self._api.ask("POST", "/api/mini/sign-in", json={"code": code})
        if answer["state"] == "to_bind":
            phone_code = (await self._platform("phone_code"))["code"]
            chosen = {"zone": zone} if zone else {}
            bound = {"ticket": answer["ticket"], "phone_code": phone_code, **chosen}
            answer = await self._api.ask("POST", "/api/mini/bind", json=bound)
        self._keep(answer["tokens"])
        self.me = answer["me"]
        return self.me

    async def renew(self) -> None:
        """The next pair of tokens for the refresh token; a new sign-in where that has ended."""
        try:
            self._keep(await self._api.ask("POST", "/api/mini/refresh", json={"refresh_token": self._refresh}))
        except Problem as refused:
            if refused.code not in ENDED:
                raise
            await self.sign_in()

    def _keep(self, tokens: Json) -> None:
        self._access, self._refresh = tokens["access_token"], tokens["refresh_token"]

    # Asking the product.

    async def read(self, path: str, **params: Any) -> Any:
        """GET below /api/mini."""
        return await self._ask("GET", path, params=params)

    async def write(self, path: str, content: Any = None, *, key: UUID | None = None, **options: Any) -> Any:
        """POST below /api/mini under an Idempotency-Key: `key`, or a fresh one."""
        headers = {"idempotency-key": str(key or uuid4()), **options.pop("headers", {})}
        return await self._ask("POST", path, json=content, headers=headers, **options)

    async def _ask(self, method: str, path: str, *, headers: Mapping[str, str] | None = None, **options: Any) -> Any:
        access = self._access
        try:
            return await self._signed(method, path, access, headers, options)
        except Problem as refused:
            if refused.status != 401:
                raise
        async with self._renewing:
            if access == self._access:
                await self.renew()
        return await self._signed(method, path, self._access, headers, options)

    async def _signed(
        self, method: str, path: str, access: str, headers: Mapping[str, str] | None, options: Mapping[str, Any]
    ) -> Any:
        proof = {**(headers or {}), "authorization": f"Bearer {access}"}
        return await self._api.ask(method, f"/api/mini{path}", headers=proof, **options)

    async def _all(self, path: str, **params: Any) -> AsyncIterator[Json]:
        """Every row of a list, page by page."""
        after: Json = {}
        while True:
            page = await self.read(path, limit=100, **params, **after)
            for row in page["items"]:
                yield row
            if not page["next"]:
                return
            after = {"after": page["next"]}

    # Reminders.

    async def inbox(self) -> list[Json]:
        """Every open reminder, newest first."""
        return [row async for row in self._all("/inbox")]

    async def acknowledge(self, reminder_id: str, note: str | None = None, *, key: UUID | None = None) -> Json:
        """Take note of a reminder."""
        answer: Json = await self.write(f"/inbox/{reminder_id}/acknowledge", {"note": note}, key=key)
        return answer

    # Items.

    async def items(self, *, done: bool = False) -> list[Json]:
        """The owner's items: open, or those that have ended."""
        return [row async for row in self._all("/items", done=str(done).lower())]

    async def to_review(self) -> list[Json]:
        """What waits for this person's review."""
        return [row async for row in self._all("/items/to-review")]

    async def item(self, item_id: str) -> Json:
        """One item whole."""
        answer: Json = await self.read(f"/items/{item_id}")
        return answer

    async def receive(self, item_id: str, note: str | None = None, *, key: UUID | None = None) -> Json:
        """签收."""
        return await self._step(item_id, "receive", key, note=note)

    async def report(self, item_id: str, text: str, *, key: UUID | None = None) -> Json:
        """反馈."""
        return await self._step(item_id, "reports", key, text=text)

    async def request_close_out(self, item_id: str, note: str | None = None, *, key: UUID | None = None) -> Json:
        """申请销号."""
        return await self._step(item_id, "close-out", key, note=note)

    async def review(self, item_id: str, level: str, *, reason: str = "", missing: str = "") -> Json:
        """初审 (`unit`) or 复核 (`oversight`): passed, or returned where `missing` says what is."""
        said = {"passed": False, "reason": reason, "missing": missing} if missing else {"passed": True}
        return await self._step(item_id, f"{level}-review", None, **said)

    async def _step(self, item_id: str, step: str, key: UUID | None, **said: Any) -> Json:
        answer: Json = await self.write(f"/items/{item_id}/{step}", said, key=key)
        return answer

    # Evidence.

    async def upload(
        self, content: bytes, *, kind: str = "photo", as_form: bool = False, key: UUID | None = None, **about: Any
    ) -> Json:
        """A photo or document, as the raw body or as a form like wx.uploadFile; `about`: item_id or visit_id…"""
        asked = {"kind": kind, "sha256": hashlib.sha256(content).hexdigest(), **about}
        body: bytes | aiohttp.FormData = content
        headers = {"content-type": "application/octet-stream"}
        if as_form:
            body, headers = aiohttp.FormData(), {}
            body.add_field("file", content, filename=f"{kind}.bin", content_type="application/octet-stream")
        answer: Json = await self.write("/evidence/upload", params=asked, data=body, headers=headers, key=key)
        return answer

    async def state(self, text: str, *, key: UUID | None = None, **about: Any) -> Json:
        """A written statement as evidence."""
        answer: Json = await self.write("/evidence", {"kind": "text", "text": text, **about}, key=key)
        return answer

    async def refer_to_paper(self, reference: str, *, key: UUID | None = None, **about: Any) -> Json:
        """Where a paper file is kept, as evidence."""
        said = {"kind": "paper_reference", "paper_reference": reference, **about}
        answer: Json = await self.write("/evidence", said, key=key)
        return answer

    # Look-backs.

    async def visits(self) -> list[Json]:
        """The visits assigned to this inspector."""
        return [row async for row in self._all("/lookbacks/visits")]

    async def record_visit(
        self, visit_id: str, verdict: str, seen: str, *, visited_at: datetime, key: UUID | None = None, **facts: Any
    ) -> Json:
        """What a visit found; the same `key` again is the replay of an offline queue."""
        said = {"verdict": verdict, "seen": seen, "visited_at": visited_at.isoformat(), **facts}
        answer: Json = await self.write(f"/lookbacks/visits/{visit_id}/records", said, key=key)
        return answer
