"""Forgetting whose phone was whose, when somebody's account is deleted; that messages were sent stays on record."""

from uuid import UUID

from models.base import database

PHONES = "select openid from binding where zone_id = $1 and person_id = $2"
FOLLOWED = "select unionid from binding where zone_id = $1 and person_id = $2 and unionid is not null"


async def forget_phones(zone_id: UUID, person_id: UUID) -> None:
    """Remove consents and followings of all phones the person ever bound, and their openids from messages that ended.

    Within the caller's transaction, while the bindings still name the phones. What is on its way keeps its openid.
    """
    whose = [zone_id, person_id]
    await database.execute(f"delete from consent where zone_id = $1 and openid in ({PHONES})", whose)  # noqa: S608
    await database.execute(f"delete from follower where zone_id = $1 and unionid in ({FOLLOWED})", whose)  # noqa: S608
    await database.execute(
        "update delivery set openid = null where zone_id = $1 and person_id = $2 and openid is not null"
        " and state not in ('queued', 'sending')",
        whose,
    )
