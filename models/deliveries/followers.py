"""Followers of the service account: its openids differ from the mini-program's, the unionid joins them."""

from uuid import UUID

from models.base import database
from models.base.ids import new_id
from models.deliveries.tables import Follower


async def follow(zone_id: UUID, openid: str, unionid: str) -> None:
    """The phone follows the service account; again changes nothing."""
    await database.execute(
        "insert into follower (id, zone_id, openid, unionid, following) values ($1, $2, $3, $4, true)"
        " on conflict (zone_id, openid) do update set unionid = excluded.unionid, following = true",
        [new_id(), zone_id, openid, unionid],
    )


async def unfollow(openid: str) -> None:
    """The phone no longer takes template messages."""
    await Follower.filter(openid=openid).update(following=False)


async def zone_of_unionid(unionid: str) -> UUID | None:
    """The zone in which the person behind the unionid is bound."""
    rows = await database.fetch(
        "select zone_id from binding where unionid = $1 and unbound_at is null limit 1", unionid
    )
    return rows[0]["zone_id"] if rows else None
