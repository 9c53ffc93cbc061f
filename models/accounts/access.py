"""What a signed-in phone may do now, cheaply.

The access token names the sign-in only; what the person may do is read from the database, for everyone who asks at the
same time together, and believed for `FRESH_FOR`. So no role travels in a token, and unbinding, leaving office,
signing out or losing a role ends access within seconds instead of a token's quarter of an hour.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from models import organization
from models.base import clock, database
from models.base.scope import Grant, Role, Scope
from models.base.together import Together

FRESH_FOR = timedelta(seconds=5)
REMEMBERED = 20_000

GRANTS = (
    " coalesce(array_agg(g.role order by g.role, u.path) filter (where g.id is not null), '{}') as roles,"
    " coalesce(array_agg(u.path order by g.role, u.path) filter (where g.id is not null), '{}') as paths"
)
GRANTS_OF_PERSON = (
    " left join (role_grant g join unit u on u.id = g.unit_id) on g.zone_id = p.zone_id and g.person_id = p.id"
)
HELD = (
    f"select s.id, s.zone_id, s.person_id,{GRANTS} from sign_in s"  # noqa: S608 — our own constants only
    " join binding b on b.id = s.binding_id and b.unbound_at is null"
    f" join person p on p.id = s.person_id and p.active{GRANTS_OF_PERSON}"
    " where s.id = any($1::uuid[]) and s.ended_at is null group by s.id"
)


@dataclass(frozen=True, slots=True)
class Access:
    """What a sign-in gives, as read at some moment."""

    scope: Scope
    roles: frozenset[Role]
    until: datetime


def grants_of(roles: Sequence[str], paths: Sequence[str]) -> tuple[Grant, ...]:
    """Grants from the two columns of `GRANTS`."""
    return tuple(Grant(Role(role), path) for role, path in zip(roles, paths, strict=True))


class Accesses:
    """The accesses that one process has read lately."""

    def __init__(self) -> None:
        self._held: OrderedDict[UUID, Access] = OrderedDict()
        self._together = Together[UUID, Access | None](_read)

    async def of(self, sign_in_id: UUID) -> Access | None:
        """What the sign-in gives, at most `FRESH_FOR` old; None when it has ended."""
        access = self._held.get(sign_in_id)
        if access is not None and access.until > clock.now():
            return access
        access = await self._together.ask(sign_in_id)
        if access is None:
            self._held.pop(sign_in_id, None)
            return None
        self._held[sign_in_id] = access
        if len(self._held) > REMEMBERED:
            self._held.popitem(last=False)
        return access

    def forget(self, sign_in_id: UUID) -> None:
        """It has just ended here."""
        self._held.pop(sign_in_id, None)


async def _read(sign_ins: Sequence[UUID]) -> list[Access | None]:
    until = clock.now() + FRESH_FOR
    rows = {row["id"]: row for row in await database.fetch(HELD, list(sign_ins))}
    selves = await organization.selves_of([(row["zone_id"], row["person_id"]) for row in rows.values()])
    return [_access(rows[wanted], selves, until) if wanted in rows else None for wanted in sign_ins]


def _access(row: dict[str, Any], selves: Mapping[UUID, frozenset[UUID]], until: datetime) -> Access:
    grants = grants_of(row["roles"], row["paths"])
    person_id, zone_id = UUID(str(row["person_id"])), UUID(str(row["zone_id"]))
    scope = Scope(zone_id, f"person:{person_id}", person_id=person_id, grants=grants, selves=selves[person_id])
    return Access(scope, frozenset(grant.role for grant in grants), until)
