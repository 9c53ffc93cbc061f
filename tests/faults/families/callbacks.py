"""The platform's events repeated, out of order, forged, and late by a day."""

from typing import Any

from miniprogram_mock.wechat.crypto import Envelope, signature
from models.base import clock, database
from models.deliveries import Delivery
from tests.faults.arena import WORKERS, until
from tests.faults.families import fault
from tests.faults.landing import land
from tests.faults.stage import POPUP, SUBSCRIBE, TODO, Stage

SENT_EVENT = "push:subscribe_msg_sent_event"
DAY = 86_400


async def _consents(stage: Stage) -> int:
    return await stage.consents(stage.phones["owner"].openid)


async def _worked_off(stage: Stage) -> None:
    """Every event has come and has been applied."""

    async def done() -> bool:
        pending = (await stage.arena.control("GET", "stats"))["pushes"]["pending"]
        (row,) = await database.fetch("select count(*) as left from callback where state = 'waiting'")
        return not pending and not row["left"]

    await until("events are worked off", done)


async def _tap(stage: Stage) -> None:
    phone = stage.phones["owner"]
    await stage.arena.platform.ask("POST", f"/_phone/{phone.openid}/subscribe", json={"template_ids": [TODO]})


async def _tell(stage: Stage, event: str, *, at: float, **content: Any) -> None:
    """The platform pushes an event of ours about the owner, as happened at an instant (seconds since the epoch)."""
    message = {
        "FromUserName": stage.phones["owner"].openid,
        "CreateTime": int(at),
        "MsgType": "event",
        "Event": event,
        "List": {"TemplateId": TODO, **content},
    }
    await stage.arena.control("POST", "push", message=message)


@fault
async def repeated(stage: Stage) -> None:
    """Each event comes twice: an accept counts once, an outcome is told once."""
    await stage.arena.fault(POPUP, "duplicate")
    await stage.arena.fault(SENT_EVENT, "duplicate")
    before, taps = await _consents(stage), stage.chance.randint(1, 3)
    for _ in range(taps):
        await _tap(stage)
        await stage.arena.move(2)
    await _worked_off(stage)
    stage.expect("accepts that came twice counted wrongly", await _consents(stage) == before + taps)
    await stage.arena.fault(SUBSCRIBE, "drop_after", times=1)
    await stage.owe_due("owner")


@fault
async def out_of_order(stage: Stage) -> None:
    """A refusal in the settings overtakes the accept before it: our ledger is too high, and the message falls back."""
    stage.known_consents = False
    phone, accepted_at = stage.phones["owner"], clock.now().timestamp()
    await stage.arena.fault(POPUP, "lose")
    await _tap(stage)
    await stage.arena.move(5)
    await stage.arena.platform.ask("POST", f"/_phone/{phone.openid}/settings", json={"reject": [TODO]})
    await _worked_off(stage)
    stage.expect("a refusal left consents", await _consents(stage) == 0)
    await stage.arena.heal()
    await _tell(stage, "subscribe_msg_popup_event", at=accepted_at, SubscribeStatusString="accept", PopupScene="0")
    await _worked_off(stage)
    await stage.owe_due("owner")
    await stage.arena.platform.ask("POST", f"/_phone/{phone.openid}/settings", json={"accept": [TODO]})


@fault
async def news_before_the_outcome(stage: Stage) -> None:
    """The sent event comes while the message is still being sent, whose worker then dies: it has arrived, once."""
    await stage.arena.fault(SUBSCRIBE, "latency", ms=6000)
    before = await stage.arena.last()
    await stage.owe_due("owner")
    await stage.until_accepted(before)
    await _worked_off_or_waiting(stage)
    stage.arena.kill(*WORKERS)
    await stage.arena.heal()
    await stage.arena.move(31)
    await stage.arena.up()


async def _worked_off_or_waiting(stage: Stage) -> None:
    async def told() -> bool:
        (row,) = await database.fetch("select count(*) as events from callback")
        return bool(row["events"])

    await until("the event has come", told)


@fault
async def forged(stage: Stage) -> None:
    """Wrong token, wrong key, another account, yesterday's, plain, or cut: refused, and nothing counts."""
    before = await _consents(stage)
    for name, query, body in _forgeries(stage):
        async with stage.arena.session.post(
            f"{stage.arena.stack.api_url}/wechat/callback", params=query, data=body
        ) as response:
            stage.expect(f"a forged event ({name}) was answered {response.status}", response.status == 403)
    await _worked_off(stage)
    stage.expect("a forged event gave a consent", await _consents(stage) == before)
    await stage.owe_due("owner")


def _forgeries(stage: Stage) -> list[tuple[str, dict[str, str], bytes]]:
    known = stage.arena.stack.environment
    token, key = known["ZHUOLUO_WECHAT_CALLBACK_TOKEN"], known["ZHUOLUO_WECHAT_CALLBACK_AES_KEY"]
    appid, now = known["ZHUOLUO_WECHAT_APPID"], clock.now().timestamp()
    event = (
        f'{{"ToUserName":"gh","FromUserName":"{stage.phones["owner"].openid}","CreateTime":{int(now)},'
        f'"MsgType":"event","Event":"subscribe_msg_popup_event",'
        f'"List":{{"TemplateId":"{TODO}","SubscribeStatusString":"accept"}}}}'
    ).encode()

    def sealed(name: str, sign: str, seal: str, account: str, at: float) -> tuple[str, dict[str, str], bytes]:
        box, stamp = Envelope(seal, account).seal(event), str(int(at))
        query = {"timestamp": stamp, "nonce": "7", "msg_signature": signature(sign, stamp, "7", box)}
        return name, query, f'{{"ToUserName":"gh","Encrypt":"{box}"}}'.encode()

    stamp = str(int(now))
    plain = {"timestamp": stamp, "nonce": "7", "signature": signature(token, stamp, "7")}
    cut_name, cut_query, cut_body = sealed("cut", token, key, appid, now)
    return [
        sealed("wrong token", "guessed", key, appid, now),
        sealed("wrong key", token, "A" * 43, appid, now),
        sealed("another account", token, key, "wx0000000000000000", now),
        sealed("yesterday's", token, key, appid, now - DAY),
        ("plain", plain, event),
        (cut_name, cut_query, cut_body[: len(cut_body) // 2]),
    ]


@fault
async def accept_late_by_a_day(stage: Stage) -> None:
    """An accept is told a day after it was given: it counts then, once."""
    await stage.arena.fault(POPUP, "lose")
    accepted_at, before = clock.now().timestamp(), await _consents(stage)
    await _tap(stage)
    await _worked_off(stage)
    await stage.arena.heal()
    await stage.to_morning(1)
    for _ in range(2):
        await _tell(stage, "subscribe_msg_popup_event", at=accepted_at, SubscribeStatusString="accept", PopupScene="0")
    await _worked_off(stage)
    stage.expect("an accept late by a day counted wrongly", await _consents(stage) == before + 1)
    await stage.owe_due("owner")


@fault
async def news_late_by_a_day(stage: Stage) -> None:
    """News of yesterday's unknown message comes when today's is unknown too: it is not taken for today's."""
    await stage.stock({"owner": (3, True)})
    await stage.arena.fault(SENT_EVENT, "lose")
    await stage.arena.fault(SUBSCRIBE, "drop_after", times=1)
    before = await stage.arena.last()
    await stage.remind("owner")
    await stage.arena.move(3)
    await stage.until_accepted(before)
    await stage.until_in("unknown")
    told_at = clock.now().timestamp()
    await land(stage)
    await stage.to_morning(1)
    await stage.arena.heal()
    await stage.arena.fault(SUBSCRIBE, "drop_before", times=1)
    await stage.remind("owner")
    await stage.arena.move(3)

    async def both() -> bool:
        return await Delivery.filter(zone_id=stage.zone.id, state="unknown", channel="subscribe").count() > 1

    await until("both messages are unknown", both)
    await _tell(stage, "subscribe_msg_sent_event", at=told_at, MsgID="1", ErrorCode="0", ErrorStatus="success")
    await _worked_off(stage)
