"""The end: a table of counts that add up."""

from collections import Counter

from rich.table import Table

from deploy.story.reaching import CONSENTS
from deploy.story.world import World
from miniprogram_mock.phones import Phone


async def count(world: World) -> None:
    """Items, reminders, deliveries, messages and consents, each against the other."""
    tell = world.tell
    tell.chapter("Counts that add up")
    items = Counter(item["state"] for item in await world.office.all("/items"))
    tell.expect("items issued", items.total(), world.imported + world.burst + world.followed)
    outcomes = await world.office.all("/deliveries")
    owed = Counter((delivery["state"], delivery["channel"] or "none") for delivery in outcomes)
    messages = Counter(message["channel"] for message in await world.sent())
    for channel in ("subscribe", "template"):
        tell.expect(f"{channel}: deliveries sent = messages at the platform", owed["sent", channel], messages[channel])
    left = sum(await world.fleet.all(Phone.consents_left))
    given = CONSENTS * len(world.accepting)
    tell.expect("consents given = messages sent + consents left", given, messages["subscribe"] + left)
    tell.expect("deliveries that failed or are unknown", owed["failed", "subscribe"] + owed["unknown", "subscribe"], 0)
    reminders = Counter(reminder["kind"] for inbox in await world.fleet.all(Phone.inbox) for reminder in inbox)
    table = Table("what", "which", "count")
    _rows(table, "items", items)
    _rows(table, "open reminders", reminders)
    _rows(table, "deliveries", Counter({f"{state}, {channel}": n for (state, channel), n in owed.items()}))
    _rows(table, "messages at the platform", messages)
    _rows(table, "consents", Counter(given=given, left=left))
    tell.console.print(table)


def _rows(table: Table, what: str, counts: Counter[str]) -> None:
    for which, number in sorted(counts.items()):
        table.add_row(what, which, str(number))
        what = ""
    table.add_section()
