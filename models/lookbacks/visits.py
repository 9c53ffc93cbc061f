"""Visits, as inspectors and oversight read them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from tortoise.expressions import Q
from tortoise.functions import Count
from tortoise.queryset import QuerySet

from models.base import clock, database
from models.base.errors import Fault, Invalid, NotFound
from models.base.scope import Role, Scope
from models.lookbacks.plans import plan_of
from models.lookbacks.tables import Cosignature, Visit, VisitRecord
from models.organization import Person, Unit

MOST_A_DAY = 100


@dataclass(frozen=True)
class VisitView:
    """A visit with its item and plan loaded, all its records oldest first, and who co-signed which.

    `names`: names of the team and of the item's owner, by person id. `last_time`: what an earlier visit to the same
    item found, if there was one.
    """

    visit: Visit
    records: list[VisitRecord]
    cosigned: dict[UUID, UUID]
    names: dict[UUID, str]
    last_time: VisitRecord | None


@dataclass(frozen=True)
class Stop:
    """A unit on an inspector's way, and their visits to its items."""

    unit: Unit
    visits: list[Visit]


def assigned_to(by: Scope) -> "QuerySet[Visit]":
    """Visits of the caller's own, as long as they hold the role inspector over the item's unit."""
    return Visit.filter(_own(by), zone_id=by.zone_id)


def overseen_by(by: Scope) -> "QuerySet[Visit]":
    """Visits within the caller's oversight."""
    return Visit.filter(_overseen(by), zone_id=by.zone_id)


def _own(by: Scope) -> Q:
    team = Q(inspector_id=by.person_id, second_inspector_id=by.person_id, join_type=Q.OR)
    return by.within("unit_path", Role.INSPECTOR) & team


def _overseen(by: Scope) -> Q:
    return by.within("unit_path", Role.OVERSIGHT)


async def my_visits(
    *, by: Scope, recorded: bool | None = None, after: UUID | None = None, limit: int = 50
) -> list[Visit]:
    """The caller's own visits with items and plans, newest first, after `after`; all, or those (un)recorded."""
    mine = assigned_to(by)
    if recorded is not None:
        mine = mine.filter(recorded_at__isnull=not recorded)
    return await _loaded(mine.filter(id__lt=after) if after else mine).order_by("-id").limit(limit)


async def itinerary(on: date, *, by: Scope) -> list[Stop]:
    """The caller's own day as a list of units, made up from their visits: nothing is kept of the way itself.

    First where they recorded something that day, in that order; then, unless the day is over, where visits are still
    open, the soonest due first. At most 100 visits of each.
    """
    day = {"records__visited_at__gte": clock.at(on), "records__visited_at__lt": clock.at(on + timedelta(days=1))}
    recorded = assigned_to(by).filter(records__corrects__isnull=True, **day).order_by("records__visited_at", "id")
    open_ = assigned_to(by).filter(recorded_at__isnull=True).order_by("due_on", "id")
    lists = [recorded] if on < clock.today() else [recorded, open_]
    return [stop for visits in lists for stop in _by_unit(await _loaded(visits).limit(MOST_A_DAY))]


def _by_unit(visits: list[Visit]) -> list[Stop]:
    stops: dict[UUID, Stop] = {}
    for visit in visits:
        stops.setdefault(visit.item.unit_id, Stop(visit.item.unit, [])).visits.append(visit)
    return [*stops.values()]


async def visits_of(plan_id: UUID, *, by: Scope, after: UUID | None = None, limit: int = 50) -> list[Visit]:
    """The plan's visits with items, in the order in which they were drawn, after the visit `after`. Raises NotFound."""
    drawn = overseen_by(by).filter(plan_id=(await plan_of(plan_id, by=by)).id)
    return await _loaded(drawn.filter(id__gt=after) if after else drawn).order_by("id").limit(limit)


def _loaded(visits: "QuerySet[Visit]") -> "QuerySet[Visit]":
    return visits.select_related("plan", "item", "item__unit")


async def progress(zone_id: UUID, plan_ids: Iterable[UUID]) -> dict[UUID, tuple[int, int]]:
    """Of each plan: visits drawn, visits recorded. Never by person (domain.md §5)."""
    rows = (
        await Visit.filter(zone_id=zone_id, plan_id__in=[*plan_ids])
        .annotate(drawn=Count("id"), recorded=Count("recorded_at"))
        .group_by("plan_id")
        .values("plan_id", "drawn", "recorded")
    )
    return {row["plan_id"]: (row["drawn"], row["recorded"]) for row in rows}


async def my_visit(visit_id: UUID, *, by: Scope) -> VisitView:
    """Raises NotFound for everybody else's visit."""
    return await _view(await _loaded(assigned_to(by)).get_or_none(id=visit_id))


async def visit_of(visit_id: UUID, *, by: Scope) -> VisitView:
    """Raises NotFound outside the caller's oversight."""
    return await _view(await _loaded(overseen_by(by)).get_or_none(id=visit_id))


async def to_cosign(visits: Iterable[Visit], *, by: Scope) -> set[UUID]:
    """Which of these wait for the caller's signature: of two inspectors, who did not write the last record."""
    rows = await database.fetch(
        "select last.visit_id from (select distinct on (visit_id) * from visit_record"
        " where zone_id = $1 and visit_id = any($2) order by visit_id, id desc) last"
        " left join visit_cosignature signed on signed.zone_id = $1 and signed.record_id = last.id"
        " where signed.id is null and last.recorded_by <> $3 and last.written_by is distinct from $4",
        by.zone_id,
        [visit.id for visit in visits if visit.second_inspector_id and by.person_id in visit.team],
        by.actor,
        by.person_id,
    )
    return {row["visit_id"] for row in rows}


async def refuse_stranger(visit_id: UUID, *, by: Scope, item_id: UUID | None = None) -> None:
    """Raises NotFound for a visit that is neither the caller's own nor within their oversight.

    With an `item_id`, Invalid (`not_the_visits_item`) where the visit is to another item.
    """
    visit = await assigned_to(by).get_or_none(id=visit_id) or await overseen_by(by).get_or_none(id=visit_id)
    if visit is None:
        raise NotFound()
    if item_id not in (None, visit.item_id):
        fault = Fault("/item_id", "not_the_visits_item", "这次检查看的是另一件事项。")
        raise Invalid("not_the_visits_item", "材料所写的事项不是这次检查的事项，没有保存。请核对。", faults=(fault,))


async def seen_by(visit_ids: Iterable[UUID], *, by: Scope) -> set[UUID]:
    """Those of these visits that are the caller's own or within their oversight."""
    asked = list(set(visit_ids))
    if not asked:
        return set()
    seen = Visit.filter(Q(_own(by), _overseen(by), join_type=Q.OR), zone_id=by.zone_id, id__in=asked)
    return set(await seen.values_list("id", flat=True))  # type: ignore[arg-type]


async def _view(visit: Visit | None) -> VisitView:
    if visit is None:
        raise NotFound()
    records = await VisitRecord.filter(zone_id=visit.zone_id, visit_id=visit.id).order_by("id")
    signed = await Cosignature.filter(zone_id=visit.zone_id, record_id__in=[record.id for record in records])
    cosigned = {signature.record_id: signature.person_id for signature in signed}
    return VisitView(visit, records, cosigned, await names_of([visit]), await _last_time(visit))


async def _last_time(visit: Visit) -> VisitRecord | None:
    """What stood of the item's other visits when this one was recorded, or stands now."""
    others = VisitRecord.filter(~Q(visit_id=visit.id), zone_id=visit.zone_id, visit__item_id=visit.item_id)
    earlier = others.filter(received_at__lt=visit.recorded_at) if visit.recorded_at else others
    return await earlier.order_by("-visited_at", "-id").first()


async def names_of(visits: Iterable[Visit]) -> dict[UUID, str]:
    """Names of the teams and of the items' owners, by person id, in one statement; items must be loaded."""
    visits = list(visits)
    people = {person for visit in visits for person in (*visit.team, visit.item.owner_id)}
    zones = {visit.zone_id for visit in visits}
    found = await Person.filter(zone_id__in=zones, id__in=people).values_list("id", "name")
    return dict(found)  # type: ignore[arg-type]
