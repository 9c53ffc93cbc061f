"""Bindings of a person to a WeChat account: one openid a person, one person an openid; rebinding needs the admin."""

from uuid import UUID

from models.base import audit, clock, database
from models.base.database import atomic
from models.base.errors import Conflict, NotFound
from models.base.ids import new_id
from models.base.scope import Role, Scope
from models.organization.people import person_of
from models.organization.tables import Binding


async def binding_of(zone_id: UUID, person_id: UUID) -> Binding | None:
    """The person's binding in force."""
    return await Binding.get_or_none(zone_id=zone_id, person_id=person_id, unbound_at__isnull=True)


async def binding_by_openid(openid: str) -> Binding | None:
    """The binding in force of a WeChat account, in whichever zone; for signing in."""
    return await Binding.get_or_none(openid=openid, unbound_at__isnull=True)


@atomic()
async def bind(zone_id: UUID, person_id: UUID, openid: str, *, by: Scope, unionid: str | None = None) -> Binding:
    """Bind; the same pair again answers the binding that exists. Of two at once, one wins.

    Raises NotFound, Conflict (`person_bound_elsewhere`, `openid_bound_elsewhere`).
    """
    if not (await person_of(zone_id, person_id)).active:
        raise NotFound()
    rows = await database.fetch(
        "insert into binding (id, zone_id, person_id, openid, unionid, bound_at) values ($1, $2, $3, $4, $5, $6)"
        " on conflict do nothing returning id",  # either constraint; a plain failure would end the transaction
        new_id(),
        zone_id,
        person_id,
        openid,
        unionid,
        clock.now(),
    )
    binding = await binding_of(zone_id, person_id)
    if binding is None:
        raise Conflict("openid_bound_elsewhere", "这个微信已绑定另一位人员。如需换绑，请联系管理员。")
    if binding.openid != openid:
        raise Conflict("person_bound_elsewhere", "您已绑定另一个微信。如需换绑，请联系管理员解除原绑定。")
    if rows:
        await audit.record(by, "binding.bound", ("person", person_id), binding=str(binding.id))
    return binding


@atomic()
async def unbind(zone_id: UUID, person_id: UUID, *, why: str, by: Scope) -> Binding | None:
    """End the person's binding, if there is one. `why` is a code: `asked`, `left_office`, `replaced_phone`, `deleted`.

    The product itself may (leaving office); of people only an admin. Raises Forbidden.
    """
    if by.actor != "system":
        by.require(Role.ADMIN)
    binding = (
        await Binding.filter(zone_id=zone_id, person_id=person_id, unbound_at__isnull=True).select_for_update().first()
    )
    if binding is None:
        return None
    binding.unbound_at, binding.unbound_why = clock.now(), why
    await binding.save(update_fields=["unbound_at", "unbound_why"])
    await audit.record(by, "binding.unbound", ("person", person_id), binding=str(binding.id), why=why)
    return binding


async def forget_bindings(zone_id: UUID, person_id: UUID) -> None:
    """Of the person's ended bindings keep that and when there was one, not to which WeChat account."""
    await Binding.filter(zone_id=zone_id, person_id=person_id, unbound_at__isnull=False).update(openid="", unionid=None)
