"""What happens once time has passed. These come last: the stage's clock never goes back."""

from datetime import timedelta

from deploy.story.world import FIRST_EVENING
from tests.e2e.conftest import Opens
from tests.e2e.zone import IssuedZone


async def test_what_nobody_receives_reaches_the_leaders_phone(phone: Opens, zone: IssuedZone) -> None:
    """16 working hours after the issue (CL-QS): the owner was urged after eight, now their leader hears of it."""
    _, item = zone.matter()
    leader = await zone.responsible(item, "单位负责人")
    await zone.world.move_to(FIRST_EVENING + timedelta(days=2), 11, 5)
    same = await zone.simulated(leader)

    async def told() -> bool:
        return ("escalated", item["id"]) in {(one["kind"], one["subject_id"]) for one in await same.inbox()}

    await zone.world.tell.until("the leader is told", told, bool, expected=True)
    theirs = await phone(leader.phone)
    await theirs.bind()
    await theirs.sees("催办和提级")
    await theirs.sees(item["title"])
    await theirs.shot("reminders-escalated")
