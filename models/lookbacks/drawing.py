"""双随机: which closed items are looked at again, and by whom. Pure, so that anybody can draw once more and compare."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence, Set
from uuid import UUID

from pydantic import BaseModel, ConfigDict

ALGORITHM = "zhuoluo-sha256-order-2"


class Fact(BaseModel):
    """What a draw is made from or gives; never changed."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Candidate(Fact):
    """A closed item in one cycle.

    `barred`: persons who owned or reviewed it in any cycle, and who keep away (回避) from one who did, ascending.
    """

    item: UUID
    cycle: int
    unit_path: str
    stratum: str = ""
    barred: tuple[UUID, ...] = ()


class Inspector(Fact):
    """Somebody of the pool.

    `covers`: roots of the subtrees they inspect; `own`: paths of the units that they, or somebody whom they keep away
    from, belong to; `load`: visits of earlier draws that still wait for them.
    """

    person: UUID
    covers: tuple[str, ...]
    own: tuple[str, ...] = ()
    load: int = 0

    def may_enter(self, unit_path: str) -> bool:
        """回避: within their subtrees, but none of their `own` units."""
        return unit_path.startswith(self.covers) and unit_path not in self.own


class Assigned(Fact):
    """One drawn item in its cycle, and who visits it; the first of `inspectors` leads."""

    item: UUID
    cycle: int
    inspectors: tuple[UUID, ...]


class Drawing(Fact):
    """What a draw gives. `set_aside`: items that too few of the pool may inspect; they could not be drawn."""

    assigned: tuple[Assigned, ...]
    set_aside: tuple[UUID, ...]


def population_hash(population: Iterable[Candidate]) -> str:
    """SHA-256 (hex) over the sorted lines `item:cycle`, joined by line feeds."""
    lines = sorted(f"{candidate.item}:{candidate.cycle}" for candidate in population)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def draw(
    population: Sequence[Candidate],
    inspectors: Sequence[Inspector],
    seed: str,
    *,
    count: int,
    team: int = 1,
    joint: bool = False,
) -> Drawing:
    """Draw at most `count` items and `team` inspectors for each. The order of the arguments has no weight.

    `H(a, b, …)` is SHA-256 over `seed|a|b|…` in UTF-8, ids in their lower-case hyphenated form; what is put "in the
    order of H" is sorted by that digest, ascending. No random generator is used, whose sequence might change with the
    language's version: these five steps can be redone by hand in any other language.

    1. Who may inspect an item: whoever of the pool may enter its unit (`Inspector.may_enter`), unless barred from it.
       An item that fewer than `team` may inspect is set aside.
    2. `count` is shared over the strata in proportion to their sizes: each gets `count × size ÷ total` rounded down,
       and what is left goes one by one to the largest remainders, ties in the order of `H("stratum", name)`.
    3. In each stratum the first so many items in the order of `H("item", item, cycle)` are drawn.
    4. Drawn items are taken in that same order over all strata. Each gets those `team` of its possible inspectors who
       have the fewest so far, their `load` included, ties in the order of `H("inspector", item, cycle, person)`.
       Where visits are `joint`, the drawn items of a unit are taken together in the place of the first of them, by
       whose id and cycle ties are decided; they go to those who may inspect all of them. Where fewer than `team` may,
       they are taken one by one.
    5. Of a team the one who has led the fewest so far leads, ties in the order of step 4.
    """
    pool = _Pool(inspectors)
    possible = [candidate for candidate in population if pool.size(candidate) >= team]
    turns = _Turns(inspectors, seed, team)
    assigned = []
    for trip in _trips(_in_order(_sample(possible, seed, count), seed), pool, team, joint=joint):
        people = turns.give(trip, pool.people_for(trip))
        assigned += [Assigned(item=each.item, cycle=each.cycle, inspectors=people) for each in trip]
    aside = sorted(candidate.item for candidate in population if pool.size(candidate) < team)
    return Drawing(assigned=tuple(assigned), set_aside=tuple(aside))


def _trips(drawn: list[Candidate], pool: "_Pool", team: int, *, joint: bool) -> list[list[Candidate]]:
    """Drawn items by who goes together to see them: one by one, or those of a unit at once."""
    if not joint:
        return [[candidate] for candidate in drawn]
    by_unit: dict[str, list[Candidate]] = defaultdict(list)
    for candidate in drawn:
        by_unit[candidate.unit_path].append(candidate)
    trips = []
    for together in by_unit.values():
        trips += [together] if len(pool.people_for(together)) >= team else [[each] for each in together]
    return trips


class _Pool:
    """Who may inspect what. Each unit is asked about once: items are many, units few."""

    def __init__(self, inspectors: Sequence[Inspector]) -> None:
        self._inspectors = inspectors
        self._by_unit: dict[str, frozenset[UUID]] = {}

    def _of_unit(self, path: str) -> frozenset[UUID]:
        if path not in self._by_unit:
            self._by_unit[path] = frozenset(who.person for who in self._inspectors if who.may_enter(path))
        return self._by_unit[path]

    def size(self, candidate: Candidate) -> int:
        of_unit = self._of_unit(candidate.unit_path)
        return len(of_unit) - sum(person in of_unit for person in {*candidate.barred})

    def people(self, candidate: Candidate) -> frozenset[UUID]:
        return self._of_unit(candidate.unit_path) - {*candidate.barred}

    def people_for(self, trip: Sequence[Candidate]) -> frozenset[UUID]:
        return frozenset.intersection(*(self.people(candidate) for candidate in trip))


def _h(seed: str, *parts: object) -> bytes:
    return hashlib.sha256("|".join([seed, *map(str, parts)]).encode()).digest()


def could_go(population: Iterable[Candidate], inspectors: Sequence[Inspector]) -> set[UUID]:
    """Those of the pool who may inspect anything of the population at all."""
    pool, found = _Pool(inspectors), set[UUID]()
    for candidate in population:
        found |= pool.people(candidate)
        if len(found) == len(inspectors):
            break
    return found


def _in_order(candidates: Iterable[Candidate], seed: str) -> list[Candidate]:
    return sorted(candidates, key=lambda candidate: _h(seed, "item", candidate.item, candidate.cycle))


def _sample(possible: list[Candidate], seed: str, count: int) -> list[Candidate]:
    strata: dict[str, list[Candidate]] = defaultdict(list)
    for candidate in possible:
        strata[candidate.stratum].append(candidate)
    shares = _shares({name: len(members) for name, members in strata.items()}, seed, count)
    return [chosen for name, members in strata.items() for chosen in _in_order(members, seed)[: shares[name]]]


def _shares(sizes: dict[str, int], seed: str, count: int) -> dict[str, int]:
    total = sum(sizes.values())
    count = min(count, total)
    shares = {name: count * size // total for name, size in sizes.items()}
    by_remainder = sorted(sizes, key=lambda name: (-(count * sizes[name] % total), _h(seed, "stratum", name)))
    for name in by_remainder[: count - sum(shares.values())]:
        shares[name] += 1
    return shares


class _Turns:
    """Who has how many visits so far, and how many to lead."""

    def __init__(self, inspectors: Sequence[Inspector], seed: str, team: int) -> None:
        self._seed, self._team = seed, team
        self._loads = Counter({inspector.person: inspector.load for inspector in inspectors})
        self._leads: Counter[UUID] = Counter()

    def give(self, trip: Sequence[Candidate], people: Set[UUID]) -> tuple[UUID, ...]:
        first = trip[0]

        def tie(person: UUID) -> bytes:
            return _h(self._seed, "inspector", first.item, first.cycle, person)

        fewest = sorted(people, key=lambda person: (self._loads[person], tie(person)))[: self._team]
        team = tuple(sorted(fewest, key=lambda person: (self._leads[person], tie(person))))
        for person in team:
            self._loads[person] += len(trip)
        self._leads[team[0]] += len(trip)
        return team
