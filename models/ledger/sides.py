"""The side states: 持续整改 (long term), 挂账 (suspended), 撤销 (cancelled)."""

from datetime import date, timedelta
from uuid import UUID

from models import escalations, reminders
from models.base import clock, outbox
from models.base.calendar import calendar_of
from models.base.database import atomic
from models.base.errors import Fault, Invalid
from models.base.scope import Scope
from models.ledger import extensions, telling
from models.ledger.deadlines import move_deadline, refuse_far
from models.ledger.people import present
from models.ledger.steps import take
from models.ledger.tables import Item, State
from models.ledger.transitions import Action, Party
from models.reminders import ReminderKind

SUSPENSION_ENDS = outbox.job("ledger.suspension_ends")
STAGE_REVIEW = outbox.job("ledger.stage_review")
MORNING = 8


@atomic()
async def make_long_term(item_id: UUID, *, by: Scope, reason: str, stage_goal: str, next_review_on: date) -> Item:
    """持续整改: what cannot end by a date gets a stage goal and a day of review instead; timers stop."""
    given = {"reason": reason, "stage_goal": stage_goal, "next_review_on": next_review_on}
    step = await take(Action.MAKE_LONG_TERM, item_id, by, **given)
    if step.repeated:
        return step.item
    _refuse_unfit("next_review_on", next_review_on)
    await telling.stop(step.item)
    await extensions.lapse(step.item)
    await _set_stage(step.item, stage_goal, next_review_on)
    item = await step.finish(text=reason, next_review_on=next_review_on)
    await telling.tell_owner(
        item, ReminderKind.INFORMED, f"「{item.title}」转为持续整改。{_stage(item)}", key="long_term"
    )
    return item


@atomic()
async def review_stage(item_id: UUID, *, by: Scope, finding: str, stage_goal: str, next_review_on: date) -> Item:
    """阶段评估: what was found, and the next stage. The owner may ask for the close-out at any time."""
    given = {"finding": finding, "stage_goal": stage_goal, "next_review_on": next_review_on}
    step = await take(Action.REVIEW_STAGE, item_id, by, **given)
    if step.repeated:
        return step.item
    _refuse_unfit("next_review_on", next_review_on)
    await telling.stop(step.item)
    await _set_stage(step.item, stage_goal, next_review_on)
    item = await step.finish(text=finding, next_review_on=next_review_on)
    key = f"stage:{next_review_on}"
    await telling.tell_owner(item, ReminderKind.INFORMED, f"「{item.title}」已作阶段评估。{_stage(item)}", key=key)
    return item


async def _set_stage(item: Item, stage_goal: str, next_review_on: date) -> None:
    item.stage_goal, item.next_review_on = stage_goal.strip(), next_review_on
    await outbox.promise(
        item.zone_id,
        STAGE_REVIEW,
        due_at=clock.at(next_review_on, MORNING, 30),
        key=f"stage:{item.id}:{item.cycle}:{next_review_on}",
        item=str(item.id),
        on=next_review_on.isoformat(),
    )


async def stage_again(item: Item) -> None:
    """The item is in its stage again; a day of review that passed meanwhile is tomorrow."""
    tomorrow = clock.today() + timedelta(days=1)
    await _set_stage(item, item.stage_goal, max(item.next_review_on or tomorrow, tomorrow))


def _stage(item: Item) -> str:
    assert item.next_review_on is not None
    return f"阶段目标：{item.stage_goal[:200]}。{telling.day(item.next_review_on)}评估。"


@atomic()
async def call_stage_review(zone_id: UUID, item_id: UUID, on: date) -> None:
    """The day of review has come: one of oversight is reminded, if that is still the day."""
    item = await Item.filter(zone_id=zone_id, id=item_id).select_for_update().get()
    if item.state is not State.LONG_TERM or item.next_review_on != on:
        return
    reviewer = await present(item, Party.OVERSIGHT)
    summary = f"「{item.title}」持续整改，今天作阶段评估。"
    await telling.tell(item, reviewer, ReminderKind.REVIEW_WAITING, summary, key=f"stage_review:{on}")


@atomic()
async def suspend(item_id: UUID, *, by: Scope, reason: str, until: date) -> Item:
    """挂账: nothing is asked until the day; then the item resumes by itself, and its deadline has moved as far."""
    step = await take(Action.SUSPEND, item_id, by, reason=reason, until=until)
    if step.repeated:
        return step.item
    _refuse_unfit("until", until)
    item = step.item
    item.suspended_from, item.suspended_on, item.suspended_until = item.state, clock.today(), until
    await telling.stop(item)
    await extensions.lapse(item)
    await outbox.promise(
        item.zone_id,
        SUSPENSION_ENDS,
        due_at=clock.at(until, MORNING, 30),
        key=f"suspension:{item.id}:{item.version}",
        item=str(item.id),
        until=until.isoformat(),
    )
    await step.finish(text=reason, until=until)
    told = f"「{item.title}」已挂账至{telling.day(until)}，其间不用办理。"
    await telling.tell_owner(item, ReminderKind.INFORMED, told, key=f"suspended:{item.version}")
    return item


@atomic()
async def resume(item_id: UUID, *, by: Scope, reason: str | None = None) -> Item:
    """恢复办理: back to the state before; the deadline moves by the working days that the item was suspended."""
    step = await take(Action.RESUME, item_id, by, reason=reason)
    if step.repeated:
        return step.item
    item = step.item
    back_to = item.suspended_from or State.IN_PROGRESS
    if back_to is not State.LONG_TERM:
        await _give_time_back(item)
    else:
        await stage_again(item)
    item.suspended_from, item.suspended_on, item.suspended_until = None, None, None
    await reminders.settle(item.zone_id, ("item", item.id))  # 「其间不用办理」 is no longer so
    await step.finish(to=back_to, text=reason, due_on=item.due_on)
    kind = ReminderKind.INFORMED
    if back_to is State.ISSUED:
        kind = ReminderKind.TO_RECEIVE
        await escalations.await_receipt(item.zone_id, item.id)
    told = (
        f"「{item.title}」已恢复办理"
        + ("" if back_to is State.LONG_TERM else f"，期限{telling.day(_due(item))}")
        + "。"
    )
    await telling.tell_owner(item, kind, told, key=f"resumed:{item.version}")
    return item


def _due(item: Item) -> date:
    assert item.due_on is not None
    return item.due_on


async def _give_time_back(item: Item) -> None:
    """A suspended day is not one in which the owner was late."""
    assert item.suspended_on is not None
    calendar = await calendar_of(item.zone_id)
    lost = calendar.working_days_between(item.suspended_on, clock.today())
    if lost > 0:
        item.due_on, item.due_days = calendar.add_working_days(_due(item), lost), None
        item.due_provisional = not calendar.announced(_due(item).year)
    await move_deadline(item)


async def end_suspension(zone_id: UUID, item_id: UUID, until: date) -> None:
    """The day has come: resume, if the item is still suspended until that day."""
    item = await Item.get(zone_id=zone_id, id=item_id)
    if item.state is State.SUSPENDED and item.suspended_until == until:
        await resume(item_id, by=Scope.system(zone_id))


@atomic()
async def cancel(item_id: UUID, *, by: Scope, reason: str) -> Item:
    """撤销: the item ends without having been done. Its number stays taken."""
    step = await take(Action.CANCEL, item_id, by, reason=reason)
    if step.repeated:
        return step.item
    item = step.item
    if step.before is not State.DRAFT:
        await telling.stop(item)
        await extensions.lapse(item)
    await step.finish(text=reason)
    if step.before is not State.DRAFT:
        await telling.tell_owner(item, ReminderKind.INFORMED, f"「{item.title}」已撤销，不用再办。", key="cancelled")
    return item


def _refuse_unfit(field: str, day: date) -> None:
    if day <= clock.today():
        fault = Fault(f"/{field}", "not_in_future", "请选择今天以后的日期。")
        raise Invalid("not_in_future", fault.detail, faults=(fault,))
    refuse_far(field, day)
