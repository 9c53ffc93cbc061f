"""Campaigns, and items that are not issued yet."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from tortoise.expressions import Q

from models import escalations
from models.base import audit, clock
from models.base.database import atomic, locked
from models.base.errors import Conflict, Fault, Invalid, NotFound
from models.base.ids import new_id
from models.base.scope import Role, Scope
from models.ledger.deadlines import Deadline
from models.ledger.tables import Campaign, Classification, Item, ListKind, State
from models.organization import Appointment, Unit

TOO_HIGH = "标为秘密及以上的事项不能进入本系统，请按保密规定在系统外办理。内容没有保存。"


class Matter(BaseModel):
    """What is to be done, by whom, until when: an item's facts before it is issued.

    `classification` is free text here, so that what is marked too high is refused with an explanation. Without
    `policy_codes` the campaign's default for the list applies, else every policy of the zone.
    """

    model_config = ConfigDict(str_strip_whitespace=True)

    list: ListKind
    title: str = Field(min_length=1, max_length=100)
    requirement: str = Field(min_length=1, max_length=2000)
    basis: str = Field("", max_length=500)
    area: str = Field("", max_length=32)
    classification: str
    owner_id: UUID
    unit_id: UUID
    due_on: date | None = None
    due_days: int | None = None
    immediate_fix: bool = False
    urgent: bool = False
    policy_codes: Sequence[str] = ()

    @property
    def deadline(self) -> Deadline:
        """Raises Invalid (`bad_due`)."""
        return Deadline(self.due_on, self.due_days)


def admit(classification: str) -> Classification:
    """The gate: only `public` and `internal` reach phones. Raises Invalid (`classification_too_high`)."""
    try:
        return Classification(classification)
    except ValueError:
        fault = Fault("/classification", "classification_too_high", TOO_HIGH)
        raise Invalid("classification_too_high", TOO_HIGH, faults=(fault,)) from None


@atomic()
async def create_campaign(
    *, by: Scope, name: str, purpose: str = "", default_policies: Mapping[ListKind, Sequence[str]] | None = None
) -> Campaign:
    """A campaign of the zone. `default_policies`: list → codes. Raises Forbidden, Conflict, Invalid."""
    by.require(Role.OVERSIGHT)
    if await Campaign.exists(zone_id=by.zone_id, name=name.strip()):
        raise Conflict("campaign_exists", f"已有名为「{name.strip()}」的台账，请换一个名称。")
    defaults = {ListKind(kind).value: [*codes] for kind, codes in (default_policies or {}).items()}
    await known_policies(by.zone_id, {code for codes in defaults.values() for code in codes})
    campaign = await Campaign.create(
        id=new_id(),
        zone_id=by.zone_id,
        name=name.strip(),
        purpose=purpose.strip(),
        default_policies=defaults,
        created_by=by.actor,
        created_at=clock.now(),
    )
    await audit.record(by, "campaign.created", ("campaign", campaign.id))
    return campaign


async def campaigns(*, by: Scope, after: UUID | None = None, limit: int = 50) -> list[Campaign]:
    """Newest first, after the campaign `after`."""
    by.require(Role.OVERSIGHT)
    older = Campaign.filter(zone_id=by.zone_id)
    return await (older.filter(id__lt=after) if after else older).order_by("-id").limit(limit)


async def campaign_of(campaign_id: UUID, *, by: Scope) -> Campaign:
    """Raises Forbidden, NotFound."""
    by.require(Role.OVERSIGHT)
    campaign = await Campaign.get_or_none(zone_id=by.zone_id, id=campaign_id)
    if campaign is None:
        raise NotFound()
    return campaign


async def policy_codes(zone_id: UUID) -> list[str]:
    """Codes of the zone's policies in force."""
    return [policy.code for policy in await escalations.policies_of(zone_id) if policy.active]


async def known_policies(zone_id: UUID, codes: Collection[str]) -> None:
    """Raises Invalid (`unknown_policy`), naming every code that the zone has no policy for."""
    if codes:
        await escalations.named_policies(zone_id, sorted(codes))


@atomic()
async def draft(matter: Matter, *, campaign_id: UUID, by: Scope) -> Item:
    """An item that nobody but the office sees until it is issued.

    Raises Forbidden, NotFound (campaign, unit), Invalid (`classification_too_high`, `bad_due`, `due_in_past`,
    `too_far`, `owner_not_in_unit`, `unknown_policy`).
    """
    campaign = await campaign_of(campaign_id, by=by)
    item = Item(id=new_id(), zone_id=by.zone_id, campaign_id=campaign.id, drafted_at=clock.now())
    await _fill(item, matter, campaign, by)
    await item.save(force_create=True)
    await audit.record(by, "item.drafted", ("item", item.id), list=item.list.value)
    return item


@atomic()
async def revise(item_id: UUID, matter: Matter, *, by: Scope, version: int) -> Item:
    """Change a draft that was read at `version`.

    Raises like `draft`, and Conflict: `wrong_state`, or `changed_meanwhile` where somebody else wrote in between.
    """
    item = await locked(Item.filter(by.within("unit_path", Role.OVERSIGHT), zone_id=by.zone_id), item_id)
    if item.state is not State.DRAFT:
        raise Conflict("wrong_state", f"这件事项现在是「{item.state.label}」，内容不能再改。", state=item.state.value)
    if item.version != version:
        raise Conflict("changed_meanwhile", "这份草稿刚被别人改过。请刷新后再改，您的内容没有保存。")
    await _fill(item, matter, await campaign_of(item.campaign_id, by=by), by)
    item.version += 1
    await item.save()
    await audit.record(by, "item.revised", ("item", item.id))
    return item


async def _fill(item: Item, matter: Matter, campaign: Campaign, by: Scope) -> None:
    classification = admit(matter.classification)
    matter.deadline.refuse_unfit(clock.today())
    unit = await Unit.get_or_none(zone_id=by.zone_id, id=matter.unit_id, active=True)
    if unit is None:
        raise NotFound("unit_not_found", "没有找到责任单位。")
    by.require(Role.OVERSIGHT, path=unit.path)
    await _require_owner_in_unit(by.zone_id, matter.owner_id, unit.id)
    await known_policies(by.zone_id, set(matter.policy_codes))
    item.update_from_dict(matter.model_dump(exclude={"classification", "policy_codes"}))
    item.classification, item.unit_path = classification, unit.path
    item.policy_codes = [*matter.policy_codes] or default_policies(campaign, matter.list)


async def _require_owner_in_unit(zone_id: UUID, owner_id: UUID, unit_id: UUID) -> None:
    today = clock.today()
    open_ended = Q(Q(until_on__isnull=True), Q(until_on__gte=today), join_type=Q.OR)
    if not await Appointment.filter(
        open_ended, zone_id=zone_id, person_id=owner_id, post__unit_id=unit_id, person__active=True
    ).exists():
        fault = Fault("/owner_id", "owner_not_in_unit", "责任人在责任单位没有任职，请核对。")
        raise Invalid("owner_not_in_unit", fault.detail, faults=(fault,))


def default_policies(campaign: Campaign, kind: ListKind) -> list[str]:
    """Codes for an item that names none: the campaign's for its list; none stands for every policy of the zone."""
    return [*campaign.default_policies.get(kind.value, ())]
