"""Whether the same is asked twice of one owner (domain.md §5.6: no double filing).

Chinese is compared by pairs of neighbouring characters (Dice's coefficient). PostgreSQL's trigrams know only the
characters that the locale calls letters, which leaves Chinese out under C; and one owner has few open items, so
comparing with each is exact and cheap.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from itertools import pairwise
from uuid import UUID

from models.ledger.tables import OPEN, Item

THRESHOLD = 0.6
LONGEST_COMPARED = 600
"""Characters of a requirement that are compared; what follows is seldom what tells matters apart."""


@dataclass(frozen=True)
class Likeness:
    """`item_id` resembles `other_id`, by `percent` of their pairs of characters; `number` is None for a draft."""

    item_id: UUID
    other_id: UUID
    number: str | None
    title: str
    percent: int


def likeness(one: str, other: str) -> float:
    """0 (nothing in common) to 1 (the same), by pairs of neighbouring letters, whatever stands between them."""
    a, b = _pairs(one), _pairs(other)
    total = a.total() + b.total()
    return 2 * (a & b).total() / total if total else 0.0


def _pairs(text: str) -> Counter[tuple[str, str]]:
    return Counter(pairwise(character for character in text if character.isalnum()))


def _alike(one: Item, other: Item) -> float:
    """A title alone may be worn (落实主体责任), so title and requirement are weighed together."""
    return likeness(_words(one), _words(other))


def _words(item: Item) -> str:
    return f"{item.title}\n{item.requirement[:LONGEST_COMPARED]}"


async def open_items(zone_id: UUID, owners: Collection[UUID]) -> dict[UUID, list[Item]]:
    """The open items of each owner, in one statement."""
    found: dict[UUID, list[Item]] = defaultdict(list)
    items = Item.filter(zone_id=zone_id, owner_id__in=list(owners), state__in=list(OPEN))
    for item in await items.only("id", "owner_id", "number", "title", "requirement").order_by("id"):
        found[item.owner_id].append(item)
    return found


def resembling(item: Item, others: Iterable[Item]) -> list[Likeness]:
    """Those of `others` that ask about the same as `item`, the likest first; at most 5."""
    measured = ((other, _alike(item, other)) for other in others if other.id != item.id)
    alike = sorted((pair for pair in measured if pair[1] >= THRESHOLD), key=lambda pair: -pair[1])
    return [Likeness(item.id, other.id, other.number, other.title, round(100 * by)) for other, by in alike[:5]]


async def similar_open(zone_id: UUID, owner_id: UUID, title: str, requirement: str) -> list[Likeness]:
    """Open items of the owner that ask about the same; for showing before anything is written."""
    asked = Item(title=title, requirement=requirement)
    return resembling(asked, (await open_items(zone_id, [owner_id]))[owner_id])
