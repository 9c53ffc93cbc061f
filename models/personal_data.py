"""What the product holds about a person, for that person: all of it to take away, and the account to be deleted.

Source: 个人信息保护法 §45 (a copy of one's data) and §47 (deletion); WeChat asks every mini-program for the latter.
Deleting an account ends the binding and removes what only served signing in and messages. The record of work (items,
evidence, visits, the log) is the office's and stays: the law on archives asks for it, and the request says so.
"""

from enum import StrEnum
from typing import Any
from uuid import UUID

import orjson
from tortoise import fields
from tortoise.indexes import Index
from tortoise.migrations.constraints import UniqueConstraint

from models import accounts, deliveries, organization
from models.base import audit, clock, database
from models.base.database import Row, atomic
from models.base.errors import Conflict, Fault, Forbidden, Invalid
from models.base.scope import Role, Scope

MOST_ROWS = 5_000
"""Of each section; the newest. Nobody has more in years, and no answer may grow without end."""

SECTIONS = {
    "person": "select staff_no, name, phone, active from person where id = $2 and zone_id = $1",
    "appointments": "select u.name as unit, p.title, p.rank, a.from_on, a.until_on, a.acting from appointment a"
    " join post p on p.id = a.post_id join unit u on u.id = p.unit_id where a.zone_id = $1 and a.person_id = $2"
    " order by a.from_on desc",
    "roles": "select g.role, u.name as unit from role_grant g join unit u on u.id = g.unit_id"
    " where g.zone_id = $1 and g.person_id = $2",
    "delegations": "select person_id, delegate_id, from_on, until_on, ended_at from delegation"
    " where zone_id = $1 and (person_id = $2 or delegate_id = $2) order by id desc",
    "bindings": "select openid, unionid, bound_at, unbound_at, unbound_why from binding"
    " where zone_id = $1 and person_id = $2 order by id desc",
    "unbinding_proposals": "select proposed_at, decided_at, accepted from unbinding_proposal"
    " where zone_id = $1 and person_id = $2 order by id desc",
    "followers": "select f.openid, f.following from follower f join binding b on b.unionid = f.unionid"
    " where f.zone_id = $1 and b.zone_id = $1 and b.person_id = $2",
    "sign_ins": "select began_at, ends_at, ended_at, ended_why from sign_in"
    " where zone_id = $1 and person_id = $2 order by id desc",
    "accounts": "select login, active, created_at from account where zone_id = $1 and person_id = $2",
    "consents": "select c.template, c.remaining from consent c join binding b on b.openid = c.openid"
    " where c.zone_id = $1 and b.zone_id = $1 and b.person_id = $2",
    "reminders": "select kind, summary, due_on, state, made_at, acknowledged_at, note from reminder"
    " where zone_id = $1 and person_id = $2 order by id desc",
    "deliveries": "select state, channel, made_at, settled_at, reason from delivery"
    " where zone_id = $1 and person_id = $2 order by id desc",
    "items": "select number, list, title, state, due_on, issued_at, closed_at from item"
    " where zone_id = $1 and owner_id = $2 order by id desc",
    "extensions": "select item_id, reason, old_due_on, new_due_on, state, asked_at from extension"
    " where zone_id = $1 and asked_by = $2 order by id desc",
    "reports": "select item_id, action, said_at, text, missing from report"
    " where zone_id = $1 and said_by = 'person:' || $2::uuid::text order by id desc",
    "evidence": "select id, kind, text, paper_reference, sha256, captured_at, received_at, clock_skew from evidence"
    " where zone_id = $1 and submitted_by = $2 order by id desc",
    "uploads": "select kind, item_id, visit_id, length, arrived, ends_at from upload"
    " where zone_id = $1 and submitted_by = $2 order by id desc",
    "upload_days": "select day, bytes from upload_day where zone_id = $1 and person_id = $2 order by day desc",
    "photo_traces": "select t.evidence_id, t.taken_at, t.latitude, t.longitude, t.software, t.issuer from trace t"
    " join evidence e on e.id = t.evidence_id where t.zone_id = $1 and e.zone_id = $1 and e.submitted_by = $2"
    " order by t.id desc",
    "visits": "select item_id, cycle, due_on, recorded_at from visit"
    " where zone_id = $1 and (inspector_id = $2 or second_inspector_id = $2) order by id desc",
    "visit_records": "select visit_id, verdict, seen, interview, follow_up, latitude, longitude, coarse, visited_at,"
    " received_at, clock_skew from visit_record where zone_id = $1 and written_by = $2 order by id desc",
    "cosignatures": "select record_id, signed_at from visit_cosignature"
    " where zone_id = $1 and person_id = $2 order by id desc",
    "recusals": "select case when person_id = $2 then other_id end as other_id, declared_at, ended_at from recusal"
    " where zone_id = $1 and (person_id = $2 or other_id = $2) order by id desc",
    "drafts": "select action, level, reason, state, drafted_at from escalation_draft"
    " where zone_id = $1 and addressee_id = $2 and state = 'approved' order by id desc",
    "packs": "select name, state, asked_at from pack where zone_id = $1 and (asked_by = 'person:' || $2::uuid::text"
    " or asked_by in (select 'account:' || id::text from account where zone_id = $1 and person_id = $2))"
    " order by id desc",
    "feedback": "select kind, text, state, made_at, answer, answered_at from feedback"
    " where zone_id = $1 and person_id = $2 order by id desc",
    "deletion_requests": "select state, made_at, decided_at, reason from deletion_request"
    " where zone_id = $1 and person_id = $2 order by id desc",
}


@atomic()
async def copy(*, by: Scope) -> bytes:
    """All that is kept about the caller, as JSON: `{"as_of": instant, "sections": {name: [row, …]}}`.

    Reads whole tables by person where no list does, so its route is to be asked rarely. Raises Forbidden.
    """
    person_id = _self(by)
    sections = {name: await _section(sql, by.zone_id, person_id) for name, sql in SECTIONS.items()}
    await audit.record(by, "personal_data.copied", ("person", person_id))
    return orjson.dumps({"as_of": clock.now(), "sections": sections})


async def _section(sql: str, zone_id: UUID, person_id: UUID) -> orjson.Fragment:
    whole = f"select coalesce(json_agg(s), '[]')::text as rows from ({sql} limit {MOST_ROWS}) s"  # noqa: S608 — ours
    (row,) = await database.fetch(whole, zone_id, person_id)
    return orjson.Fragment(row["rows"])


class DeletionState(StrEnum):
    """Where a request stands; the last three are its ends."""

    WAITING = "waiting"
    DELETED = "deleted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class DeletionRequest(Row):
    """Somebody asks for their account to be deleted; an admin decides, and says why where it is refused."""

    person: fields.ForeignKeyRelation[organization.Person] = fields.ForeignKeyField(
        "models.Person", on_delete=fields.RESTRICT, related_name="deletion_requests"
    )
    person_id: Any
    state = fields.CharEnumField(DeletionState, max_length=16, default=DeletionState.WAITING)
    made_at = fields.DatetimeField()
    decided_at = fields.DatetimeField(null=True)
    decided_by = fields.CharField(max_length=80, null=True)
    reason = fields.CharField(max_length=500, default="")

    class Meta:
        table = "deletion_request"
        constraints = [
            UniqueConstraint(fields=("zone_id", "person_id"), name="deletion_asked_once", condition="state = 'waiting'")
        ]
        indexes = [
            Index(fields=("zone_id", "person_id", "id"), name="deletion_of_person"),
            Index(fields=("zone_id", "state", "id"), name="deletion_by_state"),
        ]


@atomic()
async def ask_deletion(*, by: Scope) -> DeletionRequest:
    """Ask for the caller's own account to be deleted; while a request waits, that one is answered. Raises Forbidden."""
    person_id = _self(by)
    await organization.Person.filter(zone_id=by.zone_id, id=person_id).select_for_update().first()  # one at a time
    waiting = await _waiting_of(by).first()
    if waiting is not None:
        return waiting
    made = await DeletionRequest.create(zone_id=by.zone_id, person_id=person_id, made_at=clock.now())
    await audit.record(by, "deletion.asked", ("deletion_request", made.id))
    return made


@atomic()
async def withdraw_deletion(*, by: Scope) -> None:
    """The caller changed their mind; where nothing waits, nothing changes. Raises Forbidden."""
    waiting = await _waiting_of(by).select_for_update().first()
    if waiting is not None:
        await _decide(waiting, DeletionState.WITHDRAWN, by)


async def my_deletion(*, by: Scope) -> DeletionRequest | None:
    """The caller's last request. Raises Forbidden."""
    return await DeletionRequest.filter(zone_id=by.zone_id, person_id=_self(by)).order_by("-id").first()


async def deletions(*, by: Scope, after: UUID | None = None, limit: int = 50) -> list[DeletionRequest]:
    """Requests that wait, oldest first, with their persons, keyset by id. Raises Forbidden."""
    by.require(Role.ADMIN)
    waiting = DeletionRequest.filter(zone_id=by.zone_id, state=DeletionState.WAITING)
    waiting = waiting.filter(id__gt=after) if after else waiting
    return await waiting.order_by("id").limit(limit).select_related("person")


@atomic()
async def decide_deletion(request_id: UUID, *, by: Scope, accept: bool, reason: str = "") -> DeletionRequest:
    """Delete the account, or refuse with a reason; the same decision again changes nothing.

    Raises Forbidden, NotFound, Invalid (`required`), Conflict (`already_decided`).
    """
    by.require(Role.ADMIN)
    if not accept and not reason:
        fault = Fault("/reason", "required", "不同意注销时，请说明理由。")
        raise Invalid("required", fault.detail, faults=(fault,))
    request = await database.locked(DeletionRequest.filter(zone_id=by.zone_id), request_id)
    wanted = DeletionState.DELETED if accept else DeletionState.REFUSED
    if request.state is wanted:
        return request
    if request.state is not DeletionState.WAITING:
        raise Conflict("already_decided", "这项注销申请已经处理过，或者本人已经撤回。")
    await _decide(request, wanted, by, reason)
    if accept:
        await _delete_account(request.person_id, by)
    return request


async def _decide(request: DeletionRequest, state: DeletionState, by: Scope, reason: str = "") -> None:
    request.state, request.reason = state, reason
    request.decided_at, request.decided_by = clock.now(), by.actor
    await request.save(update_fields=["state", "reason", "decided_at", "decided_by"])
    await audit.record(by, f"deletion.{state}", ("deletion_request", request.id))


async def _delete_account(person_id: UUID, by: Scope) -> None:
    """The phone is signed out, nothing tells any more which WeChat account was whose; the record of work stays."""
    await accounts.end_sign_ins(by.zone_id, person_id, why="account_deleted")
    await organization.unbind(by.zone_id, person_id, why="deleted", by=by)
    await deliveries.forget_phones(by.zone_id, person_id)
    await organization.forget_bindings(by.zone_id, person_id)


def _waiting_of(by: Scope) -> Any:
    return DeletionRequest.filter(zone_id=by.zone_id, person_id=_self(by), state=DeletionState.WAITING)


def _self(by: Scope) -> UUID:
    if by.person_id is None:
        raise Forbidden("not_a_person", "只有名册中的人员本人可以查看或注销自己的资料。")
    return by.person_id
