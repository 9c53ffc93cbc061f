"""The API with a few routes more, through which a test sees what the wire itself does."""

import asyncio
import sys
from datetime import date
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from api.app import collect, create_app
from api.wire import ANYONE_BOUND, PUBLIC, Listing, Routes, Schema
from models.base import audit, settings
from models.base.errors import Conflict
from models.base.ids import new_id
from models.base.scope import Role, Scope

public = Routes("mini", "/probe", tag="试验")


class CheckIn(Schema):
    note: Annotated[str, Field(max_length=5)]


class ProbeIn(Schema):
    """One of each kind."""

    title: Annotated[str, Field(min_length=1, max_length=10)]
    count: int
    due_on: date | None = None
    checks: Annotated[list[CheckIn], Field(max_length=3)] = []


class ProbeOut(Schema):
    id: UUID


class Filter(Listing):
    kind: list[str] = []


@public.post("/echo", roles=PUBLIC, body=ProbeIn, reply=ProbeIn, summary="回声")
async def echo(body: ProbeIn) -> ProbeIn:
    return body


@public.get("/listed", roles=PUBLIC, query=Filter, reply=ProbeOut, summary="列表")
async def listed(query: Filter) -> bytes:
    return query.model_dump_json().encode()


@public.get("/broken", roles=PUBLIC, reply=ProbeOut, summary="出错")
async def broken() -> None:
    raise RuntimeError("the secret 13800000001 must not leave")


@public.get("/limited", roles=PUBLIC, reply=ProbeOut, summary="限量", limit="3/minute")
async def limited() -> bytes:
    return b"{}"


@public.post("/acts", roles=ANYONE_BOUND, body=ProbeIn, reply=ProbeOut, summary="办一件事", errors=("wrong_state",))
async def act(scope: Scope, body: ProbeIn) -> ProbeOut:
    made = new_id()
    await audit.record(scope, "probe.acted", ("probe", made))
    if body.title == "refuse":
        raise Conflict("wrong_state", "事项不在这一步。")
    await asyncio.sleep(body.count / 1000)
    return ProbeOut(id=made)


@public.get("/leaders", roles={Role.UNIT_LEADER}, reply=ProbeOut, summary="负责人")
async def leaders(scope: Scope) -> bytes:
    return b"{}"


def main(port: int) -> None:
    routes: list[Any] = [*collect(), *public]
    app = create_app(settings.load(), routes)
    app.run("127.0.0.1", port, single_process=True, access_log=False, motd=False)


if __name__ == "__main__":
    main(int(sys.argv[1]))
