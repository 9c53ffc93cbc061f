"""Whether this process lives, whether it can serve, and what it counts."""

import asyncio
import os
from ipaddress import ip_address
from typing import Annotated, Any, Literal

import structlog
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, Gauge, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from pydantic import Field
from sanic import HTTPResponse, Request

from api.wire import PUBLIC, Routes, Schema
from api.wire.problems import UNREACHABLE
from models import escalations
from models.base import audit, outbox
from models.base.errors import NotFound

routes = Routes("operations", tag="运行")
PATIENCE_SECONDS = 2.0
log = structlog.get_logger("api.health")


class HealthOut(Schema):
    """Alive."""

    status: Literal["ok"] = "ok"


Timely = Literal["ok", "late", "unknown"]


class ReadyOut(Schema):
    """Each thing that serving depends on; what is late shows that no worker keeps up."""

    ready: bool
    database: Annotated[Literal["ok", "unreachable"], Field(description="数据库是否答复。")]
    promises: Annotated[Timely, Field(description="待办任务是否及时处理。")] = "unknown"
    escalations: Annotated[Timely, Field(description="到时的预警是否及时发出。")] = "unknown"
    audit: Annotated[Timely, Field(description="操作日志是否及时封存。")] = "unknown"
    oldest_seconds: Annotated[
        dict[str, float], Field(description="上述各项中最早一件已等待的秒数。", examples=[{"promises": 0.4}])
    ] = {}
    quarantined: Annotated[int, Field(description="多次失败、等人处理的任务数；不影响就绪。")] = 0


@routes.get("/healthz", roles=PUBLIC, reply=HealthOut, summary="存活", limit=None)
async def alive() -> HealthOut:
    """进程在运行；不查外部依赖，免得数据库一停就被反复重启。"""
    return HealthOut()


@routes.get("/readyz", roles=PUBLIC, reply=ReadyOut, summary="就绪", limit=None)
async def ready(request: Request) -> HTTPResponse:
    """数据库不答复，或有到期的事等得过久时为 503，并说明是哪一项。"""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            found = await _readiness(request.app.ctx.settings.ready_promise_age_seconds)
    except UNREACHABLE as fault:
        log.warning("database.unreachable", error=type(fault).__name__)
        found = ReadyOut(ready=False, database="unreachable")
    return HTTPResponse(found.model_dump_json(), 200 if found.ready else 503, content_type="application/json")


async def _readiness(bound: float) -> ReadyOut:
    depth = await outbox.depth()
    ages = {
        "promises": depth.oldest_seconds,
        "escalations": await escalations.late_by(),
        "audit": await audit.unsealed_age(),
    }
    timely: dict[str, Any] = {name: "late" if age > bound else "ok" for name, age in ages.items()}
    return ReadyOut(
        ready="late" not in timely.values(),
        database="ok",
        **timely,
        oldest_seconds={name: round(age, 1) for name, age in ages.items()},
        quarantined=depth.quarantined,
    )


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
    """What the database knows, the same whichever process is asked; without it the process has its own figures only."""
    up = Gauge("zhuoluo_database_up", "Whether the database answers.", registry=registry)
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            depth, late, unsealed = await outbox.depth(), await escalations.late_by(), await audit.unsealed_age()
    except UNREACHABLE:
        up.set(0)
        return
    up.set(1)
    for name, told, value in (
        ("zhuoluo_outbox_due", "Promises that are due and not kept.", depth.due),
        ("zhuoluo_outbox_oldest_seconds", "Age of the oldest due promise.", depth.oldest_seconds),
        ("zhuoluo_outbox_quarantined", "Promises that failed too often and wait for a person.", depth.quarantined),
        ("zhuoluo_escalations_late_seconds", "Wait of the oldest due escalation step.", late),
        ("zhuoluo_audit_unsealed_seconds", "Age of the oldest unsealed audit row.", unsealed),
    ):
        Gauge(name, told, registry=registry).set(value)
