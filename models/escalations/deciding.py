"""What persons do about escalations: urge an item's owner, decide on letters and talks that were drafted."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from models import organization, reminders
from models.base import audit, clock, database
from models.base.calendar import calendar_of
from models.base.database import atomic
from models.base.errors import Conflict, NotFound, TooMany
from models.base.scope import Role, Scope
from models.escalations.audiences import audience_of
from models.escalations.firing import REPEATING
from models.escalations.tables import Action, Audience, Draft, DraftState, Watch
from models.organization import Chain, Staffed
from models.reminders import ReminderKind

ACTION_NAMES = {
    Action.REMINDER_LETTER: "提示函",
    Action.INTERVIEW: "约谈",
    Action.CONSULTATION: "专题会商",
    Action.CIRCULAR: "通报",
}


@atomic()
async def urge(item_id: UUID, *, by: Scope, note: str | None = None) -> UUID | None:
    """Urge (催办) the item's owner, in the name of somebody above them in the chain or of oversight.

    Not again within the zone's interval (24 hours unless set otherwise). Raises NotFound, TooMany (`urged_recently`).
    """
    watch, staffed = await watched_by(by, item_id)
    await _keep_interval(watch)
    (owner, *_) = audience_of(staffed, Audience.OWNER) or [UUID(watch.chain["owner"])]
    watch.urged_at = clock.now()
    await watch.save(update_fields=["urged_at"])
    await audit.record(by, "item.urged", ("item", item_id), owner=str(owner), noted=note is not None)
    await reminders.settle(by.zone_id, ("item", item_id), kinds=REPEATING, person_id=owner)
    return await reminders.remind(
        by.zone_id,
        owner,
        ReminderKind.URGE,
        ("item", item_id),
        f"{watch.summary}：{note or '请尽快办理'}",
        due_on=watch.due_on,
        urgent=watch.urgent,
        escalation=True,
        key=f"urge:{item_id}:{watch.urged_at:%Y%m%d%H%M%S%f}",
    )


async def watched_by(by: Scope, item_id: UUID) -> tuple[Watch, Staffed]:
    """The item's newest watch, locked, and its chain today, for who stands above the owner in it or oversees them.

    Raises NotFound.
    """
    watch = await Watch.filter(zone_id=by.zone_id, item_id=item_id).order_by("-cycle").select_for_update().first()
    if watch is None:
        raise NotFound()
    chain = Chain.model_validate(watch.chain)
    (staffed,) = await organization.staffed(by.zone_id, [chain], clock.today())
    above = {person for seat in (*staffed.superiors, *staffed.oversight) for person in (seat.holder, seat.acting)}
    if by.person_id not in above and not await _oversees(by, chain.owner):
        raise NotFound()
    return watch, staffed


async def _oversees(by: Scope, person_id: UUID) -> bool:
    """Whether the caller holds oversight over a unit in which the person is appointed."""
    if not by.may(Role.OVERSIGHT):
        return False
    rows = await database.fetch(
        "select distinct u.path from appointment a join post p on p.id = a.post_id join unit u on u.id = p.unit_id"
        " where a.zone_id = $1 and a.person_id = $2 and coalesce(a.until_on, $3) >= $3",
        by.zone_id,
        person_id,
        clock.today(),
    )
    return any(by.may(Role.OVERSIGHT, path=row["path"]) for row in rows)


async def _keep_interval(watch: Watch) -> None:
    if watch.urged_at is None:
        return
    settings = await organization.settings_of(watch.zone_id)
    again_at = watch.urged_at + timedelta(hours=settings.urge_interval_hours)
    if (left := (again_at - clock.now()).total_seconds()) > 0:
        detail = f"这一事项刚刚催办过，{settings.urge_interval_hours}小时内不再重复催办。"
        raise TooMany("urged_recently", detail, retry_after=max(1, int(left)))


async def drafts(
    *, by: Scope, state: DraftState | None = DraftState.WAITING, after: UUID | None = None, limit: int = 50
) -> Sequence[Draft]:
    """What policies have drafted for a person to decide, newest first, keyset by id. Raises Forbidden."""
    by.require(Role.OVERSIGHT)
    found = Draft.filter(zone_id=by.zone_id)
    if state:
        found = found.filter(state=state)
    if after:
        found = found.filter(id__lt=after)
    return await found.order_by("-id").limit(limit)


@atomic()
async def decide(draft_id: UUID, *, by: Scope, approve: bool, decision: str | None = None) -> Draft:
    """Approve a draft (its addressee is then told) or decline it; the same decision again changes nothing.

    `decision` is the reason, ≤ 500 characters. Raises NotFound, Forbidden, Conflict (`already_decided`).
    """
    by.require(Role.OVERSIGHT)
    draft = await database.locked(Draft.filter(zone_id=by.zone_id), draft_id)
    wanted = DraftState.APPROVED if approve else DraftState.DECLINED
    if draft.state is wanted:
        return draft
    if draft.state is not DraftState.WAITING:
        raise Conflict("already_decided", "这份草稿已经有了另一种决定，没有更改。")
    if not await _oversees(by, draft.addressee_id):
        raise NotFound()
    draft.state, draft.decided_at, draft.decided_by, draft.decision = wanted, clock.now(), by.actor, decision
    await draft.save(update_fields=["state", "decided_at", "decided_by", "decision"])
    await audit.record(
        by, f"draft.{wanted.value}", ("item", draft.item_id), draft=str(draft.id), kind=draft.action.value
    )
    if approve:
        await _inform(draft)
    return draft


async def _inform(draft: Draft) -> None:
    days = await calendar_of(draft.zone_id)
    await reminders.remind(
        draft.zone_id,
        draft.addressee_id,
        ReminderKind.MEASURE_TO_REPLY,
        ("item", draft.item_id),
        f"{ACTION_NAMES[draft.action]}：{draft.reason}",
        due_on=days.add_working_days(clock.today(), 5),
        escalation=True,
        key=f"draft:{draft.id}",
    )
