"""A zone for one schedule, and its end."""

import secrets
from datetime import date, timedelta
from random import Random

from miniprogram_mock.phones import Phone
from models import organization
from models.base import clock, database
from models.organization import Binding, Zone
from tests.faults.arena import Arena
from tests.faults.stage import PARTS, Stage
from tests.office import open_office


async def set_up(arena: Arena, chance: Random) -> Stage:
    """A new zone in the arena on a morning of 2026 or a year not announced yet, with its people's phones."""
    clock_to = clock.at(date(2026, 1, 5) + timedelta(days=chance.randrange(700)), 10)
    await arena.move((clock_to - clock.now()).total_seconds())
    zone = await organization.create_zone(code=f"z{secrets.token_hex(8)}", name="故障演练区（虚构）")
    office = await open_office(zone)
    phones = {part: Phone(str(office.people[part].phone), api=arena.api, wechat=arena.platform) for part in PARTS}
    stage = Stage(arena, chance, zone, office, phones, await arena.last())
    await stage.to_morning()
    await _bind(stage)
    return stage


async def _bind(stage: Stage) -> None:
    numbers = {"phones": [{"phone": phone.number} for phone in stage.phones.values()]}
    made = await stage.arena.platform.ask("POST", "/_phone/register_many", json=numbers)
    for (part, phone), known in zip(stage.phones.items(), made["phones"], strict=True):
        phone.known_as(known)
        await stage.bind(part)


async def clear(stage: Stage) -> None:
    """The zone is gone for the workers, and what the platform told is forgotten: the next schedule is alone."""
    await Binding.filter(zone_id=stage.zone.id).delete()
    await Zone.filter(id=stage.zone.id).delete()
    await database.execute("delete from callback")
