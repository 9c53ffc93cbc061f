"""One step of an item: lock, check against the transition table, change, log. Every rule begins and ends here."""

import hashlib
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson

from models.base import audit, clock
from models.base.database import locked
from models.base.errors import Conflict, Fault, Forbidden, Invalid
from models.base.ids import new_id
from models.base.scope import Scope
from models.ledger import people
from models.ledger.tables import Cycle, Item, Report, State
from models.ledger.transitions import OF, Action, Party, Transition

REVIEWS = frozenset({Action.UNIT_APPROVE, Action.UNIT_RETURN, Action.CLOSE_OUT, Action.OVERSIGHT_RETURN})


@dataclass
class Step:
    """A step under way: the item's row is locked. `repeated`: it has been done already, there is nothing to do."""

    item: Item
    cycle: Cycle | None
    transition: Transition
    by: Scope
    party: Party
    acting_for: UUID | None
    before: State
    digest: str
    repeated: bool

    @property
    def round(self) -> Cycle:
        """The current cycle of an item that has been issued."""
        assert self.cycle is not None
        return self.cycle

    async def finish(
        self, *, to: State | None = None, text: str | None = None, missing: str = "", **facts: Any
    ) -> Item:
        """Write the item with its new state, the words said, and the audit row; the item as it now is.

        `facts` go to the audit log: ids, dates and codes only.
        """
        item = self.item
        item.state = to or self._after() or self.before
        item.last_step = self.digest
        item.version += 1
        await item.save()
        if text and text.strip():
            facts |= await self._say(text.strip(), missing.strip())
        await audit.record(
            self.by,
            self.transition.event,
            ("item", item.id),
            **{
                "cycle": item.cycle,
                "before": self.before.value,
                "after": item.state.value,
                **self._on_behalf(),
                **facts,
            },
        )
        return item

    def _after(self) -> State | None:
        if self.item.immediate_fix and self.transition.immediate_after:
            return self.transition.immediate_after
        return self.transition.after

    def _on_behalf(self) -> dict[str, str]:
        if self.acting_for is None or self.acting_for == self.by.person_id:
            return {}
        return {"acting_for": str(self.acting_for)}

    async def _say(self, text: str, missing: str) -> dict[str, str]:
        said = await Report.create(
            id=new_id(),
            zone_id=self.item.zone_id,
            item_id=self.item.id,
            cycle=self.item.cycle,
            action=self.transition.action.value,
            said_by=self.by.actor,
            said_at=clock.now(),
            text=text,
            missing=missing,
        )
        return {"report": str(said.id), "words_sha256": audit.words_hash(text, missing)}


async def take(action: Action, item_id: UUID, by: Scope, **given: Any) -> Step:
    """Lock the item and check that `by` may do `action` to it, with `given` as what is said.

    Raises NotFound, Forbidden (`not_your_step`, `same_person`), Conflict (`wrong_state`), Invalid (`required`).
    """
    own = await people.selves(by)
    item = await locked(people.visible(by, own), item_id)
    cycle = await Cycle.get_or_none(zone_id=item.zone_id, item_id=item.id, number=item.cycle)
    transition = OF[action]
    party, acting_for = _standing(transition, await people.parties(item, by, own))
    digest = _digest(transition, by, given)
    step = Step(item, cycle, transition, by, party, acting_for, item.state, digest, digest == item.last_step)
    if not step.repeated:
        refuse_wrong_state(transition, item)
        refuse_same_person(step)
        _refuse_missing(transition, given)
    return step


def _standing(transition: Transition, parties: dict[Party, UUID | None]) -> tuple[Party, UUID | None]:
    for party, acting_for in parties.items():
        if party in transition.who:
            return party, acting_for
    roles = "或".join(party.label for party in sorted(transition.who) if party is not Party.SYSTEM)
    raise Forbidden("not_your_step", f"「{transition.label}」由{roles}办理，您可以查看，不用操作。")


def _digest(transition: Transition, by: Scope, given: dict[str, Any]) -> str:
    """Tells the same step from another. A step that leaves the state as it is may be meant again on another day."""
    stays = transition.after is None or transition.after in transition.before
    day = clock.today() if stays else None
    form = {"action": transition.action, "actor": by.actor, "day": day, "given": given}
    return hashlib.sha256(orjson.dumps(form, option=orjson.OPT_SORT_KEYS)).hexdigest()


def refuse_wrong_state(transition: Transition, item: Item) -> None:
    """Raises Conflict unless the item stands where the step begins."""
    if item.state not in transition.before:
        raise Conflict(
            "wrong_state",
            f"这件事项现在是「{item.state.label}」，不能做「{transition.label}」这一步。刷新后可查看最新情况。",
            state=item.state.value,
        )


def refuse_same_person(step: Step) -> None:
    """Raises Forbidden where one person would take two of the three parts."""
    if step.transition.action not in REVIEWS or step.cycle is None:
        return
    if people.who(step.by) in people.barred(step.party, step.item, step.cycle):
        raise Forbidden(
            "same_person", "责任人、初审人、复核人应是三个不同的人。您已办理过本轮的另一步，请由其他同志办理。"
        )


def _refuse_missing(transition: Transition, given: dict[str, Any]) -> None:
    empty = [(field, name) for field, name in transition.needs if not _filled(given.get(field))]
    if empty:
        names = "、".join(name for _, name in empty)
        faults = tuple(Fault(f"/{field}", "required", f"请填写{name}。") for field, name in empty)
        raise Invalid("required", f"请补充：{names}。已填的内容都还在。", faults=faults)


def _filled(value: Any) -> bool:
    return bool(value.strip()) if isinstance(value, str) else value is not None
