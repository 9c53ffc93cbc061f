"""What the office sees of the product's own state at the console: alarms, unknown outcomes, channels, quarantine."""

from typing import Any
from uuid import uuid4

import pytest

from models import deliveries
from models.base import alarms, calendar, clock, outbox
from models.base.alarms import AlarmKind
from models.base.ids import new_id
from models.base.outbox import Promise
from models.base.scope import Role
from models.deliveries import Channel, Delivery
from models.organization import Unit, Zone
from tests.api.conftest import Client, Desk, person


@pytest.fixture
async def admin(desk_of: Any, zone: Zone, bureau: Unit) -> Client:
    """An administrator at the console."""
    desk: Desk = await desk_of((await person(zone, bureau, "周敏", Role.ADMIN)).id)
    return desk


async def test_open_alarms_are_listed_with_what_to_do(admin: Client, zone: Zone) -> None:
    await alarms.settle(zone.id, AlarmKind.TIMERS_LATE, {"escalations": "2步预警到期未触发，最早的已等7分钟"})
    (alarm,) = [
        one for one in (await admin.get("/api/console/alarms")).content["items"] if one["kind"] == "timers_late"
    ]
    assert alarm["meaning"] == "预警步骤到期未触发，请检查后台进程是否在运行。"
    assert alarm["detail"].startswith("2步")
    await alarms.settle(zone.id, AlarmKind.TIMERS_LATE, {})
    assert "timers_late" not in {one["kind"] for one in (await admin.get("/api/console/alarms")).content["items"]}


async def made(zone: Zone, state: str, channel: str | None, **more: object) -> Delivery:
    now = clock.now()
    facts = {"person_id": new_id(), "reminder_id": new_id(), "key": str(uuid4()), **more}
    return await Delivery.create(zone_id=zone.id, state=state, channel=channel, not_before=now, made_at=now, **facts)


async def test_an_unknown_outcome_is_shown_with_what_became_of_it(admin: Client, zone: Zone) -> None:
    ends = {"waiting": ("queued", None), "next_channel": ("sent", "sms"), "inbox": ("sent", "in_app")}
    wanted = {}
    for resolution, (state, channel) in ends.items():
        unknown = await made(zone, "unknown", "subscribe")
        wanted[str(unknown.id)] = resolution
        middle = await made(zone, "failed", "template", key=f"after:{unknown.id}", after=unknown.id)
        await made(zone, state, channel, key=f"after:{middle.id}", after=middle.id)
    news = await made(zone, "sent", "subscribe", reason="told_later")
    shown = (await admin.get("/api/console/deliveries?state=unknown")).content["items"]
    assert {one["id"]: one["resolution"] for one in shown} == wanted
    sent = (await admin.get("/api/console/deliveries?state=sent")).content["items"]
    assert {one["id"]: one["resolution"] for one in sent}[str(news.id)] == "news"


async def test_a_channel_is_paused_with_a_reason_and_used_again(admin: Client, zone: Zone) -> None:
    path = "/api/console/deliveries"
    assert (await admin.post(f"{path}/pause", {"channel": "sms"})).status == 422
    assert (await admin.post(f"{path}/pause", {"channel": "in_app", "reason": "停"})).code == "channel_not_pausable"
    assert (await admin.post(f"{path}/pause", {"channel": "sms", "reason": "欠费"})).status == 200
    assert await deliveries.paused_channels(zone.id) == {Channel.SMS}
    (pause,) = (await admin.get(f"{path}/pauses")).content["items"]
    assert (pause["channel"], pause["reason"], pause["resumed_at"]) == ("sms", "欠费", None)
    assert (await admin.post(f"{path}/resume", {"channel": "sms"})).content["resumed_at"] is not None
    assert (await admin.post(f"{path}/resume", {"channel": "sms"})).code == "channel_not_paused"


async def test_quarantine_is_decided_on_by_a_person(admin: Client, zone: Zone) -> None:
    await Promise.filter(zone_id=zone.id).delete()
    for _ in range(2):
        await outbox.promise(zone.id, calendar.CHANGED, year="2027")
    await Promise.filter(zone_id=zone.id).update(state="quarantined", last_error="KeyError", attempts=12)
    first, second = (await admin.get("/api/console/quarantine")).content["items"]
    assert (first["job"], first["payload"], first["last_error"]) == ("calendar.changed", {"year": "2027"}, "KeyError")
    path = "/api/console/quarantine"
    assert (await admin.post(f"{path}/{first['id']}/release")).content["state"] == "waiting"
    assert (await admin.post(f"{path}/{first['id']}/release")).code == "not_in_quarantine"
    discarded = await admin.post(f"{path}/{second['id']}/discard", {"reason": "数据已删除"})
    assert (discarded.content["state"], discarded.content["discard_reason"]) == ("discarded", "数据已删除")
    assert (await admin.post(f"{path}/{uuid4()}/release")).code == "not_found"
    await Promise.filter(zone_id=zone.id).delete()
