"""Who is asking, and over which part of the zone. Deny by default.

A role holds over a unit subtree (domain.md §2). A row outside the caller's zone or subtrees is answered as if it did
not exist: queries carry the scope, so there is nothing to leak.
"""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from tortoise.expressions import Q

from models.base.errors import Forbidden


class Role(StrEnum):
    """Roles of the zone. Nobody holds two of the last three (GB/T 22239 等保三级: separation of powers)."""

    CADRE = "cadre"
    UNIT_LEADER = "unit_leader"
    INSPECTOR = "inspector"
    OVERSIGHT = "oversight"
    ADMIN = "admin"
    SECURITY_ADMIN = "security_admin"
    AUDITOR = "auditor"


SEPARATED = frozenset({Role.ADMIN, Role.SECURITY_ADMIN, Role.AUDITOR})


@dataclass(frozen=True, slots=True)
class Grant:
    """One role over the subtree below (and with) the unit at `path`."""

    role: Role
    path: str


@dataclass(frozen=True, slots=True)
class Scope:
    """The caller: zone, who they are, what they hold. `actor` is how the audit log names them.

    `selves`: the person and everybody they stand in for today, where that was read together with the grants.
    """

    zone_id: UUID
    actor: str
    person_id: UUID | None = None
    account_id: UUID | None = None
    grants: tuple[Grant, ...] = ()
    selves: frozenset[UUID] | None = None

    @classmethod
    def system(cls, zone_id: UUID) -> "Scope":
        """The product itself, acting by a written rule (timers, policies); holds no role."""
        return cls(zone_id=zone_id, actor="system")

    def paths(self, *roles: Role) -> tuple[str, ...]:
        """Roots of the subtrees where the caller holds any of `roles`."""
        return tuple(grant.path for grant in self.grants if grant.role in roles)

    def may(self, *roles: Role, path: str | None = None) -> bool:
        """Whether the caller holds one of `roles`, over the unit at `path` if one is given."""
        return any(path is None or path.startswith(root) for root in self.paths(*roles))

    def require(self, *roles: Role, path: str | None = None) -> None:
        """Raises Forbidden unless `may`."""
        if not self.may(*roles, path=path):
            raise Forbidden("role_missing", "您的角色不能做这一步。如有疑问，请联系本单位管理员。")

    def within(self, field: str, *roles: Role) -> Q:
        """A filter: rows whose materialised path in `field` lies in a subtree of one of `roles` (none: no rows)."""
        paths = self.paths(*roles)
        if not paths:
            return Q(id__isnull=True)
        return Q(*(Q(**{f"{field}__startswith": path}) for path in paths), join_type=Q.OR)
