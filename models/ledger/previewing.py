"""Before issuing: how many people would get how many messages in the next days, so that the office sends fewer.

And before a policy is set: whom it would tell of an item, and when.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from models import escalations, organization
from models.base import clock
from models.base.calendar import Calendar, calendar_of
from models.base.errors import Conflict, NotFound
from models.base.scope import Role, Scope
from models.deliveries import Notice
from models.escalations import Ahead, Foreseen, Policy, PolicyForm
from models.ledger import people
from models.ledger.deadlines import Deadline
from models.ledger.drafts import campaign_of
from models.ledger.tables import Item, State
from models.organization import Chain, Person, Staffed

MOST_DRAFTS = 2_000
"""Drafts that are looked at, the oldest first; `Preview.whole` says whether that was all."""


@dataclass(frozen=True)
class Preview(Ahead):
    """What issuing `items` drafts would send to people.

    `past_due` drafts are left out, as issuing leaves them; `whole`: none was left out because there are too many.
    """

    items: int
    past_due: int
    whole: bool
    advice: ClassVar[str] = "请考虑合并事项、分批交办或放宽期限。"


async def preview_campaign(campaign_id: UUID, *, by: Scope) -> Preview:
    """Of issuing the campaign's drafts. Raises Forbidden, NotFound."""
    await campaign_of(campaign_id, by=by)
    drafts = Item.filter(by.within("unit_path", Role.OVERSIGHT), zone_id=by.zone_id, campaign_id=campaign_id)
    found = await drafts.filter(state=State.DRAFT).order_by("id").limit(MOST_DRAFTS + 1)
    return await _preview(by.zone_id, found)


async def preview_item(item_id: UUID, *, by: Scope) -> Preview:
    """Of issuing one draft. Raises NotFound, Conflict (`wrong_state`)."""
    item = await _overseen(item_id, by)
    if item.state is not State.DRAFT:
        raise Conflict("wrong_state", f"这件事项现在是「{item.state.label}」，已经交办。", state=item.state.value)
    return await _preview(by.zone_id, [item])


async def _overseen(item_id: UUID, by: Scope) -> Item:
    item = await Item.filter(by.within("unit_path", Role.OVERSIGHT), zone_id=by.zone_id, id=item_id).first()
    if item is None:
        raise NotFound()
    return item


async def _preview(zone_id: UUID, drafts: Sequence[Item]) -> Preview:
    today = clock.today()
    items = [item for item in drafts[:MOST_DRAFTS] if item.due_on is None or item.due_on >= today]
    ahead = await escalations.ahead(zone_id, await _notices(zone_id, items, await calendar_of(zone_id)))
    return Preview(
        **vars(ahead),
        items=len(items),
        past_due=len(drafts[:MOST_DRAFTS]) - len(items),
        whole=len(drafts) <= MOST_DRAFTS,
    )


async def _notices(zone_id: UUID, items: Sequence[Item], calendar: Calendar) -> list[Notice]:
    """To receive, at once, and then all that the policies would say."""
    now, today = clock.now(), clock.today()
    chains = await organization.chains_of(zone_id, [(item.owner_id, item.unit_id) for item in items], today)
    staffed = await organization.staffed(zone_id, chains, today)
    policies = await escalations.policies_of(zone_id)
    notices: list[Notice] = []
    for item, now_staffed in zip(items, staffed, strict=True):
        if now_staffed.answerable:
            notices.append(Notice(now_staffed.answerable.acting, now, item.urgent))
        foreseen = _foreseen(item, escalations.applying(policies, item.policy_codes), now_staffed, calendar)
        notices += [escalations.notice(one, urgent=item.urgent) for one in foreseen if one.rings]
    return notices


def _foreseen(item: Item, policies: Sequence[Policy], staffed: Staffed, calendar: Calendar) -> list[Foreseen]:
    """Of a draft as if it were issued now; of another as it was issued."""
    issued_at, due_on = item.issued_at or clock.now(), item.due_on
    if item.state is State.DRAFT:
        deadline = Deadline(days=item.due_days) if item.due_days else Deadline(on=item.due_on)
        due_on = deadline.counted_from(clock.today(), calendar)
    assert due_on is not None
    received = item.state not in (State.DRAFT, State.ISSUED)
    return escalations.foresee(policies, staffed, calendar, issued_at=issued_at, due_on=due_on, received=received)


@dataclass(frozen=True)
class Foretold:
    """What would be told, and the name of whom."""

    told: Foreseen
    name: str


async def simulate(item_id: UUID, *, by: Scope, policy: PolicyForm | str | None = None) -> list[Foretold]:
    """Who would be told when of the item, if nothing moved: by a policy as written, by its code, or by the item's own.

    Raises NotFound, Invalid (`unknown_policy`, `due_in_past`).
    """
    item = await _overseen(item_id, by)
    if isinstance(policy, PolicyForm):
        policies = [escalations.unsaved(by.zone_id, policy)]
    else:
        policies = await escalations.named_policies(by.zone_id, [policy] if policy else item.policy_codes)
    foreseen = _foreseen(item, policies, await _staffed(item), await calendar_of(by.zone_id))
    told = {one.person_id for one in foreseen}
    names = dict(await Person.filter(zone_id=by.zone_id, id__in=told).values_list("id", "name"))
    return [Foretold(one, names[one.person_id]) for one in foreseen]


async def _staffed(item: Item) -> Staffed:
    if item.chain:
        return await people.staffed(item)
    chain: Chain = await organization.chain_of(item.zone_id, item.owner_id, item.unit_id)
    (now,) = await organization.staffed(item.zone_id, [chain], clock.today())
    return now
