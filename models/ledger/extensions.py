"""延期: the owner asks for a later deadline; the unit leader decides, then oversight."""

from datetime import date
from uuid import UUID

from models import reminders
from models.base import clock
from models.base.database import atomic
from models.base.errors import Conflict, Fault, Forbidden, Invalid
from models.base.ids import new_id
from models.base.scope import Scope
from models.ledger import deadlines, telling
from models.ledger.people import who
from models.ledger.steps import Step, take
from models.ledger.tables import Extension, ExtensionState, Item
from models.ledger.transitions import Action, Party
from models.reminders import ReminderKind

WAITING = (ExtensionState.UNIT_WAITING, ExtensionState.OVERSIGHT_WAITING)


@atomic()
async def ask_extension(item_id: UUID, *, by: Scope, reason: str, new_due_on: date) -> Extension:
    """The owner asks, not after the due date, for a later one.

    Raises Conflict (`already_due`, `extension_waiting`), Invalid (`not_later`, `too_far`).
    """
    step = await take(Action.ASK_EXTENSION, item_id, by, reason=reason, new_due_on=new_due_on)
    waiting = await _waiting(step.item)
    if step.repeated and waiting:
        return waiting
    _refuse_asking(step.item, waiting, new_due_on)
    extension = await Extension.create(
        id=new_id(),
        zone_id=step.item.zone_id,
        item_id=item_id,
        cycle=step.item.cycle,
        asked_by=who(by),
        asked_at=clock.now(),
        reason=reason.strip(),
        old_due_on=step.item.due_on,
        new_due_on=new_due_on,
    )
    item = await step.finish(text=reason, extension=str(extension.id), new_due_on=new_due_on)
    await _ask(item, extension, Party.UNIT_REVIEWER)
    return extension


def _refuse_asking(item: Item, waiting: Extension | None, new_due_on: date) -> None:
    assert item.due_on is not None
    deadlines.refuse_far("new_due_on", new_due_on)
    if clock.today() > item.due_on:
        raise Conflict("already_due", "延期要在期限之前申请，这件事项的期限已过。请继续办理，办结后申请销号。")
    if waiting:
        raise Conflict("extension_waiting", f"已有一份延期申请，{waiting.state.label}。有结果会告诉您。")
    if new_due_on <= item.due_on:
        fault = Fault("/new_due_on", "not_later", f"新的期限应晚于现在的期限{telling.day(item.due_on)}。")
        raise Invalid("not_later", fault.detail, faults=(fault,))


@atomic()
async def decide_extension(item_id: UUID, *, by: Scope, granted: bool, reason: str | None = None) -> Extension:
    """The unit leader's decision, or oversight's after it. A refusal needs a reason and ends the request.

    Raises Conflict (`no_extension_waiting`), Invalid (`required`).
    """
    extension = await Extension.filter(zone_id=by.zone_id, item_id=item_id).order_by("-id").first()
    at_unit = extension is None or extension.state == ExtensionState.UNIT_WAITING
    at_unit = at_unit or (extension is not None and extension.unit_decided_by == who(by))
    action = Action.UNIT_EXTENSION if at_unit else Action.OVERSIGHT_EXTENSION
    step = await take(action, item_id, by, granted=granted, reason=reason)
    if extension is not None and step.repeated:
        return await Extension.get(zone_id=by.zone_id, id=extension.id)  # as it stands now that the item is locked
    waiting = await _waiting(step.item)
    expected = ExtensionState.UNIT_WAITING if at_unit else ExtensionState.OVERSIGHT_WAITING
    if waiting is None or waiting.state is not expected:
        raise Conflict("no_extension_waiting", "现在没有等您决定的延期申请，可能已经决定或失效。")
    if who(by) in barred(step.item, waiting):
        raise Forbidden("same_person", "申请人、单位负责人、监督机构应是三个不同的人。请由其他同志决定。")
    if not granted and not (reason or "").strip():
        fault = Fault("/reason", "required", "不同意延期时，请写明理由。")
        raise Invalid("required", fault.detail, faults=(fault,))
    return await _decide(step, waiting, granted, reason)


def barred(item: Item, extension: Extension) -> frozenset[UUID]:
    """Who may not decide on the request: the owner, whoever asked for them, whoever has decided already."""
    side = (item.owner_id, extension.asked_by, extension.unit_decided_by)
    return frozenset(person for person in side if person is not None)


async def _decide(step: Step, extension: Extension, granted: bool, reason: str | None) -> Extension:
    item, at_unit = step.item, extension.state is ExtensionState.UNIT_WAITING
    if at_unit:
        extension.unit_decided_by = who(step.by)
    else:
        extension.oversight_decided_by = who(step.by)
    await reminders.settle(
        item.zone_id, ("item", item.id), kinds={ReminderKind.EXTENSION_WAITING}, acknowledged_by=who(step.by)
    )
    passed_on = at_unit and granted
    extension.state = _next(passed_on, granted)
    extension.decided_at = None if passed_on else clock.now()
    await extension.save()
    if extension.state is ExtensionState.GRANTED:
        item.due_on, item.due_days, item.due_provisional = extension.new_due_on, None, False
        await deadlines.move_deadline(item)
    await step.finish(text=reason, extension=str(extension.id), granted=granted)
    if passed_on:
        await _ask(item, extension, Party.OVERSIGHT)
    else:
        await _inform(item, extension)
    return extension


def _next(passed_on: bool, granted: bool) -> ExtensionState:
    if passed_on:
        return ExtensionState.OVERSIGHT_WAITING
    return ExtensionState.GRANTED if granted else ExtensionState.REFUSED


async def _ask(item: Item, extension: Extension, party: Party) -> None:
    await telling.tell_reviewer(
        item,
        barred(item, extension),
        party,
        ReminderKind.EXTENSION_WAITING,
        f"「{item.title}」申请延期到{telling.day(extension.new_due_on)}，请决定。",
        key=f"extension:{extension.id}:{party.value}",
    )


async def _inform(item: Item, extension: Extension) -> None:
    granted = extension.state is ExtensionState.GRANTED
    outcome = f"期限改为{telling.day(extension.new_due_on)}" if granted else "没有同意，期限不变"
    await telling.tell_owner(
        item,
        ReminderKind.INFORMED,
        f"「{item.title}」的延期申请已有结果：{outcome}。",
        key=f"extension:{extension.id}:decided",
    )


async def _waiting(item: Item) -> Extension | None:
    return await Extension.filter(zone_id=item.zone_id, item_id=item.id, state__in=WAITING).first()


async def lapse(item: Item) -> None:
    """The item moved on: a request still waiting has no object any more."""
    await Extension.filter(zone_id=item.zone_id, item_id=item.id, state__in=WAITING).update(
        state=ExtensionState.LAPSED, decided_at=clock.now()
    )
