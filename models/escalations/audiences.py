"""Who hears of steps: read off the chain as it is staffed today, each person once, of the strongest meant for them."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

from models.escalations.policies import DRAFTS
from models.escalations.tables import Action, Audience, Timer
from models.organization import Staffed


def audience_of(staffed: Staffed, audience: Audience) -> list[UUID]:
    """Who `audience` is today. A rung that is vacant passes to the next one up, the top to oversight (domain.md §2)."""
    oversight = list(dict.fromkeys(seat.acting for seat in staffed.oversight))
    owner = staffed.owner.acting if staffed.owner else None
    leader = next((seat.acting for seat in staffed.superiors if seat.acting != owner), None)
    match audience:
        case Audience.OVERSIGHT:
            return oversight
        case Audience.OWNER:
            found = owner or leader
        case Audience.UNIT_LEADER:
            found = leader
        case Audience.ONE_LEVEL_UP:
            above = (seat.acting for seat in staffed.ladder[1:] if seat)
            found = next((person for person in above if person not in (owner, leader)), None)
    return [found] if found else oversight


@dataclass
class Heard:
    """What steps of one item that are due together cause: `told` by person, `drafted` by kind and addressee."""

    told: dict[UUID, Timer] = field(default_factory=dict)
    drafted: dict[tuple[Action, UUID], Timer] = field(default_factory=dict)

    @property
    def spoke(self) -> set[UUID]:
        """Ids of the steps that had something of their own to say."""
        return {timer.id for timer in (*self.told.values(), *self.drafted.values())}


def hear(steps: Iterable[Timer], staffed: Staffed) -> Heard:
    """`steps`, of however many policies: the strongest takes the place of what is meant for the same person."""
    heard = Heard()
    for timer in sorted(steps, key=lambda step: (step.level, step.due_at, step.policy_code, step.step)):
        for person in (person for audience in timer.tell for person in audience_of(staffed, Audience(audience))):
            if timer.action in DRAFTS:
                heard.drafted[timer.action, person] = timer
            else:
                heard.told[person] = timer
    return heard
