"""Who builds which pack, and how far it is. Building itself is the worker's, and takes what time it takes."""

from datetime import timedelta
from uuid import UUID

from models.base import audit, clock, database
from models.base.database import atomic
from models.base.ids import new_id
from models.base.scope import Scope
from models.packs.asking import KEPT
from models.packs.making import Made
from models.packs.tables import Pack, PackState

LEASE = timedelta(seconds=60)
MOST_ATTEMPTS = 5
EXPIRE_AT_ONCE = 100

BEGIN = """
with next as (
  select p.id from zone z cross join lateral (
    select id, asked_at from pack where zone_id = z.id
      and (state = 'waiting' and (leased_until is null or leased_until <= $1)
        or state = 'building' and leased_until <= $1)
    order by id limit 1 for update skip locked) p
  order by p.asked_at limit 1)
update pack set state = 'building', lease = $2, leased_until = $3, attempts = attempts + 1, files_done = 0
from next where pack.id = next.id returning pack.*
"""


class Stopped(Exception):
    """The pack was cancelled, or somebody else builds it now."""


async def begin() -> Pack | None:
    """Lease the pack that waits longest, or one whose builder has not been heard of; None where there is none.

    One that was begun too often is given up.
    """
    now = clock.now()
    rows = await database.fetch(BEGIN, now, new_id(), now + LEASE)
    if not rows:
        return None
    pack = Pack._init_from_db(**rows[0])
    if pack.attempts > MOST_ATTEMPTS:
        await give_up(pack, "多次未能完成，请联系管理员查看后台日志。")
        return None
    return pack


async def go_on(pack: Pack, files_done: int) -> None:
    """Keep the lease and say how far it is. Raises Stopped."""
    changed = await Pack.filter(zone_id=pack.zone_id, id=pack.id, lease=pack.lease).update(
        files_done=files_done, leased_until=clock.now() + LEASE
    )
    if not changed:
        raise Stopped


async def put_back(pack: Pack, pause: timedelta = timedelta(0), *, counted: bool = True) -> None:
    """Let it be begun again after `pause`; not `counted`: it was no fault of the pack's."""
    await Pack.filter(zone_id=pack.zone_id, id=pack.id, lease=pack.lease).update(
        state=PackState.WAITING,
        lease=None,
        leased_until=clock.now() + pause,
        attempts=pack.attempts if counted else pack.attempts - 1,
    )


@atomic()
async def finish(pack: Pack, made: Made) -> None:
    """It stands in the store; the log names the hash of its manifest. Raises Stopped."""
    now = clock.now()
    facts = {"size": made.size, "sha256": made.sha256, "manifest_sha256": made.manifest_sha256}
    changed = await Pack.filter(zone_id=pack.zone_id, id=pack.id, lease=pack.lease).update(
        state=PackState.DONE, lease=None, ended_at=now, expires_at=now + KEPT, files_done=pack.files_total, **facts
    )
    if not changed:
        raise Stopped
    await note(Scope(pack.zone_id, pack.asked_by), pack.id, made)


async def note(by: Scope, pack_id: UUID, made: Made) -> None:
    """Write into the log that the pack was made."""
    subject = {made.pack.subject_type.value: str(made.pack.subject_id)}
    await audit.record(
        by, "pack.made", ("pack", pack_id), sha256=made.sha256, manifest_sha256=made.manifest_sha256, **subject
    )


@atomic()
async def give_up(pack: Pack, reason: str) -> None:
    """It cannot be made; whoever asked for it reads why."""
    await Pack.filter(zone_id=pack.zone_id, id=pack.id, lease=pack.lease).update(
        state=PackState.FAILED, lease=None, ended_at=clock.now(), reason=reason
    )


async def to_expire() -> list[Pack]:
    """Packs past their time, at most a hundred."""
    return await Pack.filter(state=PackState.DONE, expires_at__lte=clock.now()).limit(EXPIRE_AT_ONCE)


async def expired(pack: Pack) -> None:
    """Its object is gone."""
    await Pack.filter(zone_id=pack.zone_id, id=pack.id, state=PackState.DONE).update(state=PackState.EXPIRED)
