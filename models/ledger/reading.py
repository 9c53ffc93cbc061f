"""Lists of items, one item whole, its timeline, and what the reader may do with it now."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

import orjson
from tortoise.expressions import Q, Subquery
from tortoise.queryset import QuerySet

from models.base import clock, database
from models.base.audit import AuditRow
from models.base.errors import NotFound
from models.base.scope import Role, Scope
from models.ledger import extensions, people
from models.ledger.deadlines import TIMED
from models.ledger.extensions import WAITING
from models.ledger.steps import REVIEWS
from models.ledger.tables import OPEN, Cycle, Extension, ExtensionState, Item, ListKind, Report, State
from models.ledger.transitions import LABEL_OF_EVENT, TABLE, Action, Party, Transition
from models.organization import Person

MOST_A_PAGE = 100


@dataclass(frozen=True)
class Filters:
    """What to list; None or empty asks for everything. `unit_path` is a subtree, `text` is in title or number."""

    states: Sequence[State] = ()
    list: ListKind | None = None
    unit_path: str | None = None
    owner_id: UUID | None = None
    campaign_id: UUID | None = None
    overdue: bool | None = None
    text: str | None = None

    def asked(self) -> Q:
        """As a condition on items."""
        exact: dict[str, Any] = {"list": self.list, "owner_id": self.owner_id, "campaign_id": self.campaign_id}
        asked = Q(**{field: value for field, value in exact.items() if value is not None})
        if self.states:
            asked &= Q(state__in=list(self.states))
        if self.unit_path:
            asked &= Q(unit_path__startswith=self.unit_path)
        if self.text:
            asked &= Q(title__contains=self.text, number__contains=self.text.upper(), join_type=Q.OR)
        if self.overdue is not None:
            late = Q(state__in=list(TIMED), due_on__lt=clock.today())
            asked &= late if self.overdue else ~late
        return asked


def overdue(item: "Item | Line") -> bool:
    """Past the due date with the owner; a review under way is not the owner's delay."""
    return item.state in TIMED and item.due_on is not None and item.due_on < clock.today()


@dataclass(frozen=True, slots=True)
class Line:
    """An item as a list shows it; `owner` and `unit` are names."""

    id: UUID
    number: str | None
    list: ListKind
    title: str
    state: State
    cycle: int
    owner: str
    owner_id: UUID
    unit: str
    unit_id: UUID
    due_on: date | None
    immediate_fix: bool
    urgent: bool

    @property
    def state_label(self) -> str:
        """The state, as a cadre reads it."""
        return self.state.label

    @property
    def overdue(self) -> bool:
        """Past its due date, with the owner."""
        return overdue(self)


NAMED = {"owner": "owner__name", "unit": "unit__name"}
SHOWN = [field.name for field in fields(Line) if field.name not in NAMED]


async def items(*, by: Scope, filters: Filters, after: UUID | None = None, limit: int = 50) -> list[Line]:
    """What the caller may read, newest first, with owner and unit; those that come after the item `after`."""
    own = await people.reading_as(by)
    return await _page(people.visible(by, own).filter(filters.asked()), after, limit)


MINE = """
select i.id, i.number, i.list, i.title, i.state, i.cycle, p.name as owner, i.owner_id, u.name as unit, i.unit_id,
  i.due_on, i.immediate_fix, i.urgent
from item i join person p on p.id = i.owner_id join unit u on u.id = i.unit_id
where i.zone_id = $1 and i.owner_id = any($2::uuid[]) and i.state = any($3::text[]) and i.id < $4
order by i.id desc limit $5
"""
LAST_ID = UUID(int=2**128 - 1)


async def mine(*, by: Scope, done: bool = False, after: UUID | None = None, limit: int = 50) -> list[Line]:
    """What the caller, or somebody the caller stands in for, owns: open, or with `done` what has ended.

    Asked whenever a phone looks at its items, so in one statement written by hand.
    """
    own = await people.reading_as(by)
    states = (State.CLOSED, State.CANCELLED) if done else OPEN
    rows = await database.fetch(MINE, by.zone_id, [*own], [*states], after or LAST_ID, min(limit, MOST_A_PAGE))
    return [Line(**{**row, "list": ListKind(row["list"]), "state": State(row["state"])}) for row in rows]


async def to_review(*, by: Scope, after: UUID | None = None, limit: int = 50) -> list[Line]:
    """What waits for the caller's review or decision on an extension; never one's own."""
    own = await people.reading_as(by)
    unit = Q(by.within("unit_path", Role.UNIT_LEADER), _superior(own), join_type=Q.OR)
    oversight = Q(by.within("unit_path", Role.OVERSIGHT), _overseer(own), join_type=Q.OR)
    waiting = Q(
        unit & Q(state=State.UNIT_REVIEW),
        oversight & Q(state=State.OVERSIGHT_REVIEW),
        unit & _extension(by.zone_id, ExtensionState.UNIT_WAITING),
        oversight & _extension(by.zone_id, ExtensionState.OVERSIGHT_WAITING),
        join_type=Q.OR,
    )
    others = Item.filter(~Q(owner_id=people.who(by)), zone_id=by.zone_id)
    return await _page(others.filter(waiting), after, limit)


def _superior(own: frozenset[UUID]) -> Q:
    named = [Q(chain__contains={"unit_leader": str(person)}) for person in own]
    named += [Q(chain__contains={"upward": [str(person)]}) for person in own]
    return Q(*named, join_type=Q.OR) if named else Q(id__isnull=True)


def _overseer(own: frozenset[UUID]) -> Q:
    named = [Q(chain__contains={"oversight": [str(person)]}) for person in own]
    return Q(*named, join_type=Q.OR) if named else Q(id__isnull=True)


def _extension(zone_id: UUID, state: ExtensionState) -> Q:
    return Q(id__in=Subquery(Extension.filter(zone_id=zone_id, state=state).values("item_id")))


async def _page(rows: "QuerySet[Item]", after: UUID | None, limit: int) -> list[Line]:
    older = rows.filter(id__lt=after) if after else rows
    newest = older.order_by("-id").limit(min(limit, MOST_A_PAGE))
    return [Line(**row) for row in await newest.values(*SHOWN, **NAMED)]


@dataclass(frozen=True)
class Whole:
    """An item with everything that its page shows; `owner` and `unit` are names."""

    item: Item
    owner: str
    unit: str
    cycles: list[Cycle]
    extension: Extension | None
    next_actions: Sequence[Transition] = ()


WHOLE = f"""
select i.*, p.name as owner, u.name as unit,
  (select json_agg(c order by c.number desc) from (
    select * from cycle where zone_id = $1 and item_id = $2 order by number desc limit 50) c) as cycles,
  (select to_json(e) from extension e where e.zone_id = $1 and e.item_id = $2 order by e.id desc limit 1) as extension
from item i join person p on p.id = i.owner_id join unit u on u.id = i.unit_id
where i.zone_id = $1 and i.id = $2 and {people.VISIBLE}
"""  # noqa: S608 — our own constants only


async def whole(item_id: UUID, *, by: Scope) -> Whole:
    """The item, its cycles (newest first), the last extension, what the caller may do now. Raises NotFound.

    In one statement written by hand, and one for the chain as it is staffed: no page is opened as often.
    """
    own = await people.reading_as(by)
    rows = await database.fetch(WHOLE, by.zone_id, item_id, *people.sight(by, own))
    if not rows:
        raise NotFound()
    (row,) = rows
    owner, unit = row.pop("owner"), row.pop("unit")
    cycles = [Cycle(**cycle) for cycle in orjson.loads(row.pop("cycles") or "[]")]
    asked = row.pop("extension")
    item = Item(**row)
    found = Whole(item, owner, unit, cycles, Extension(**orjson.loads(asked)) if asked else None)
    return replace(found, next_actions=next_actions(found, await people.parties(item, by, own), people.who(by)))


def next_actions(whole: Whole, standing: Collection[Party], who: UUID | None) -> list[Transition]:
    """The steps that whoever is `standing` so to the item may take now, being `who`."""
    item, extension = whole.item, whole.extension
    cycle = whole.cycles[0] if whole.cycles else None
    steps = [step for step in TABLE if item.state in step.before and _extension_allows(step.action, item, extension)]
    return [step for step in steps if _open_to(step, standing, whole, cycle, who)]


def _open_to(
    step: Transition, standing: Collection[Party], whole: Whole, cycle: Cycle | None, who: UUID | None
) -> bool:
    part = next((party for party in standing if party in step.who), None)
    barred: frozenset[UUID] = frozenset()
    if part and cycle and step.action in REVIEWS:
        barred = people.barred(part, whole.item, cycle)
    elif whole.extension and step.action in (Action.UNIT_EXTENSION, Action.OVERSIGHT_EXTENSION):
        barred = extensions.barred(whole.item, whole.extension)
    return part is not None and who not in barred


def _extension_allows(action: Action, item: Item, extension: Extension | None) -> bool:
    waits = extension.state if extension and extension.state in WAITING else None
    if action is Action.ASK_EXTENSION:
        return waits is None and item.due_on is not None and clock.today() <= item.due_on
    if action is Action.UNIT_EXTENSION:
        return waits is ExtensionState.UNIT_WAITING
    if action is Action.OVERSIGHT_EXTENSION:
        return waits is ExtensionState.OVERSIGHT_WAITING
    return True


@dataclass(frozen=True)
class Moment:
    """One thing that happened to an item. `acting_for` names the absent person somebody stood in for."""

    id: UUID
    at: datetime
    event: str
    label: str
    actor: str
    acting_for: str | None
    cycle: int | None
    text: str
    missing: str
    due_on: date | None


OTHER_LABELS = {
    "item.drafted": "起草",
    "item.revised": "修改草稿",
    "item.due_recounted": "按新的放假安排重新计算期限",
    "item.urged": "催办",
    "escalation.held": "暂缓提醒",
    "escalation.released": "恢复提醒",
}
LABELS = LABEL_OF_EVENT | OTHER_LABELS


async def timeline(item_id: UUID, *, by: Scope, after: UUID | None = None, limit: int = 50) -> list[Moment]:
    """What happened, newest first, from the log; no trace of who read what. Raises NotFound."""
    item = await people.readable(item_id, by=by)
    rows = AuditRow.filter(zone_id=by.zone_id, subject_id=item.id, action__in=list(LABELS))
    rows = rows.filter(id__lt=after) if after else rows
    acts = await rows.order_by("-id").limit(min(limit, MOST_A_PAGE))
    said = await Report.in_bulk([act.data["report"] for act in acts if "report" in act.data], "id")
    words = {str(report_id): report for report_id, report in said.items()}
    names = await _names(by.zone_id, acts)
    return [_moment(act, words.get(act.data.get("report", "")), names) for act in acts]


def _moment(act: AuditRow, said: Report | None, names: dict[str, str]) -> Moment:
    data = act.data
    due_on = data.get("due_on") or data.get("new_due_on")
    return Moment(
        id=act.id,
        at=act.at,
        event=act.action,
        label=LABELS[act.action],
        actor=names.get(act.actor.removeprefix("person:"), "系统" if act.actor == "system" else "监督机构"),
        acting_for=names.get(data.get("acting_for", "")),
        cycle=data.get("cycle"),
        text=said.text if said else "",
        missing=said.missing if said else "",
        due_on=date.fromisoformat(due_on) if due_on else None,
    )


async def _names(zone_id: UUID, acts: list[AuditRow]) -> dict[str, str]:
    actors = {act.actor.removeprefix("person:") for act in acts if act.actor.startswith("person:")}
    absent: set[Any] = {act.data["acting_for"] for act in acts if "acting_for" in act.data}
    known = await Person.filter(zone_id=zone_id, id__in=[*(actors | absent)]).values_list("id", "name")
    return {str(person_id): name for person_id, name in known}
