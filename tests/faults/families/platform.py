"""The platform out of order: errors, silence, a slow drip, refused tokens, spent quotas, consents that it denies."""

from gateways.wechat.tokens import BELIEVED
from models.deliveries import Delivery
from tests.faults.arena import WORKERS, until
from tests.faults.families import fault
from tests.faults.landing import land
from tests.faults.stage import GATHERED, SENDS, SUBSCRIBE, TEMPLATE, Stage

REACHED = ("owner", "colleague")
ASKS_ANEW = BELIEVED.total_seconds() + 1


@fault
async def server_errors(stage: Stage) -> None:
    """5xx: a front door that turns away, or something behind it that broke."""
    for status in stage.chance.sample((500, 502, 503, 504), 2):
        await stage.arena.fault(SENDS, "status", status=status, times=stage.chance.randint(1, 3))
    await stage.owe_due(*REACHED)


@fault
async def cut_after_accepting(stage: Stage) -> None:
    """The connection breaks after the message was taken."""
    await stage.arena.fault(SENDS, "drop_after", times=stage.chance.randint(1, 4))
    await stage.owe_due(*REACHED)


@fault
async def cut_before_accepting(stage: Stage) -> None:
    """The connection breaks before anything was done: for us the same."""
    await stage.arena.fault(SENDS, "drop_before", times=stage.chance.randint(1, 4))
    await stage.owe_due(*REACHED)


@fault
async def silent_after_accepting(stage: Stage) -> None:
    """No answer until our patience ends (ten real seconds); leases are not lost meanwhile."""
    before = await stage.arena.last()
    await stage.arena.fault(SUBSCRIBE, "hang_after", seconds=60, times=1)
    await stage.owe_due("owner")
    await stage.until_accepted(before)
    await stage.until_in("unknown")


@fault
async def slow_drip(stage: Stage) -> None:
    """The answer comes byte by byte."""
    await stage.arena.fault(SENDS, "drip", ms=20, times=3)
    await stage.owe_due(*REACHED)


@fault
async def garbage(stage: Stage) -> None:
    """The message was taken; the answer is a page of some proxy."""
    await stage.arena.fault(SENDS, "garbage", times=stage.chance.randint(1, 3))
    await stage.owe_due(*REACHED)


@fault
async def busy(stage: Stage) -> None:
    """-1, another send under way, too many this minute: the same again later."""
    for errcode in stage.chance.sample((-1, 43108, 45011), 2):
        await stage.arena.fault(SENDS, "errcode", errcode=errcode, times=stage.chance.randint(1, 3))
    await stage.owe_due(*REACHED)


@fault
async def busy_for_good(stage: Stage) -> None:
    """-1 until we give up on the channel."""
    await stage.arena.fault(SUBSCRIBE, "errcode", errcode=-1)
    await stage.owe_due("owner")
    await land(stage)


@fault
async def not_subscribed(stage: Stage) -> None:
    """43101 although we hold a consent: the next channel, and the consent is none."""
    await stage.arena.fault(SUBSCRIBE, "errcode", errcode=43101, times=stage.chance.randint(1, 2))
    await stage.owe_due(*REACHED)


@fault
async def cut_then_refused(stage: Stage) -> None:
    """A template message is taken, its answer lost, its repetition refused until later: it has been told once."""
    await stage.arena.fault(TEMPLATE, "drop_after", times=1)
    await stage.arena.fault(TEMPLATE, "errcode", errcode=stage.chance.choice((45009, -1, 45011)), times=1)
    stage.worn = True
    await stage.remind("colleague")
    await stage.arena.move(GATHERED)
    await stage.until_in("sent", "unknown", "queued")


@fault
async def quota_spent(stage: Stage) -> None:
    """45009: nobody asks again today, and tomorrow morning everything is told."""
    stage.worn = True
    await stage.arena.fault(SUBSCRIBE, "errcode", errcode=45009)
    before = await stage.arena.calls(SUBSCRIBE)
    await stage.remind("owner")
    await stage.arena.move(GATHERED)
    await stage.until_called(SUBSCRIBE, before)
    for _ in range(3):
        await stage.remind("owner", urgent=True)
        await stage.arena.move(120)
    calls = await stage.arena.calls(SUBSCRIBE) - before
    stage.expect(f"asked {calls} times after the day's quota was spent", calls <= len(WORKERS))
    await stage.arena.heal()


@fault
async def token_refused_at_once(stage: Stage) -> None:
    """40001 in two processes at the same moment: exactly one fetches a new token."""
    first, second = WORKERS
    await stage.stock({"owner": (2, False), "leader": (2, False)})
    await stage.arena.pause(second, "valkey")  # where each asks for the token once its message has begun
    await _begin(stage, "owner", under_way=1)
    await stage.arena.pause(first)
    stage.arena.resume(second)
    await _begin(stage, "leader", under_way=2)
    await stage.arena.control("POST", "tokens/revoke", account="mini")
    before = await _issued(stage)
    stage.arena.resume(first, "valkey")
    await land(stage)
    fetched = await _issued(stage) - before
    stage.expect(f"{fetched} tokens were fetched for one that was refused", fetched == 1)


async def _begin(stage: Stage, part: str, *, under_way: int) -> None:
    """Owe `part` something, late enough for workers to ask anew which token is current."""
    await stage.remind(part)
    await stage.arena.move(ASKS_ANEW)

    async def begun() -> bool:
        return await Delivery.filter(zone_id=stage.zone.id, state="sending").count() == under_way

    await until(f"the message to the {part} has begun", begun)


async def _issued(stage: Stage) -> int:
    return int((await stage.arena.control("GET", "stats"))["tokens_issued"]["mini"])


@fault
async def token_expired(stage: Stage) -> None:
    """42001 and 40014, in the middle of pushes."""
    await stage.arena.fault(SENDS, "latency", ms=100)
    await stage.arena.control("POST", stage.chance.choice(("tokens/expire", "tokens/revoke")), account="mini")
    await stage.arena.control("POST", stage.chance.choice(("tokens/expire", "tokens/revoke")), account="service")
    await stage.owe_due(*REACHED)
