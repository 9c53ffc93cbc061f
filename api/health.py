"""Whether this process lives, whether it can serve, and what it counts."""

import asyncio
import os
from ipaddress import ip_address
from typing import Annotated, Literal

import structlog
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, Gauge, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from pydantic import Field
from sanic import HTTPResponse, Request

from api.wire import PUBLIC, Routes, Schema
from api.wire.problems import UNREACHABLE
from models.base import audit, outbox
from models.base.errors import NotFound
from models.organization import Zone

routes = Routes("operations", tag="运行")
PATIENCE_SECONDS = 2.0
log = structlog.get_logger("api.health")


class HealthOut(Schema):
    """Alive."""

    status: Literal["ok"] = "ok"


class ReadyOut(Schema):
    """Each thing that serving depends on."""

    ready: bool
    database: Annotated[Literal["ok", "unreachable"], Field(description="数据库是否答复。")]
    promises: Annotated[Literal["ok", "late", "unknown"], Field(description="待办任务是否及时处理。")]
    oldest_promise_seconds: Annotated[float | None, Field(description="最早一项到期任务已等待的秒数。")]


@routes.get("/healthz", roles=PUBLIC, reply=HealthOut, summary="存活", limit=None)
async def alive() -> HealthOut:
    """进程在运行；不查外部依赖，免得数据库一停就被反复重启。"""
    return HealthOut()


@routes.get("/readyz", roles=PUBLIC, reply=ReadyOut, summary="就绪", limit=None)
async def ready(request: Request) -> HTTPResponse:
    """数据库不答复，或到期任务等得过久时为 503，并说明是哪一项。"""
    bound = request.app.ctx.settings.ready_promise_age_seconds
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            _, age = await outbox.depth()
    except UNREACHABLE as fault:
        log.warning("database.unreachable", error=type(fault).__name__)
        found = ReadyOut(ready=False, database="unreachable", promises="unknown", oldest_promise_seconds=None)
    else:
        late = age > bound
        found = ReadyOut(
            ready=not late, database="ok", promises="late" if late else "ok", oldest_promise_seconds=round(age, 1)
        )
    return HTTPResponse(found.model_dump_json(), 200 if found.ready else 503, content_type="application/json")


@routes.get("/metrics", roles=PUBLIC, reply=str, media_type="text/plain", summary="指标", limit=None)
async def metrics(request: Request) -> HTTPResponse:
    """Prometheus 文本格式。只供本机和内网直接读取；经公网代理来的一律答 404。"""
    if not _comes_from_inside(request):
        raise NotFound()
    counted = REGISTRY
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        counted = CollectorRegistry()
        MultiProcessCollector(counted)
    gathered = CollectorRegistry()
    await _gather(gathered)
    return HTTPResponse(generate_latest(counted) + generate_latest(gathered), content_type=CONTENT_TYPE_LATEST)


def _comes_from_inside(request: Request) -> bool:
    """Straight from this machine or a private network: a public proxy adds a forwarding header."""
    forwarded = {"x-forwarded-for", "forwarded", "x-real-ip"} & set(request.headers)
    if forwarded or not request.ip:
        return False
    address = ip_address(request.ip)
    return address.is_loopback or address.is_private


async def _gather(registry: CollectorRegistry) -> None:
    """What the database knows: the same whichever process is asked."""
    due, age = await outbox.depth()
    Gauge("zhuoluo_outbox_due", "Promises that are due and not kept.", registry=registry).set(due)
    Gauge("zhuoluo_outbox_oldest_seconds", "Age of the oldest due promise.", registry=registry).set(age)
    unsealed = Gauge("zhuoluo_audit_unsealed_seconds", "Age of the oldest unsealed audit row.", registry=registry)
    unsealed.set(max([await audit.unsealed_age(zone.id) for zone in await Zone.all().only("id").limit(500)], default=0))
