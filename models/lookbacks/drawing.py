"""双随机: which closed items are looked at again, and by whom. Pure, so that anybody can draw once more and compare."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence, Set
from uuid import UUID

from pydantic import BaseModel, ConfigDict

ALGORITHM = "zhuoluo-sha256-order-1"


class _Fact(BaseModel):
    model_config = ConfigDict(frozen=True)


class Candidate(_Fact):
    """A closed item in one cycle. `barred`: persons who owned or reviewed it, in any cycle, ascending."""

    item: UUID
    cycle: int
    unit_path: str
    stratum: str = ""
    barred: tuple[UUID, ...] = ()


class Inspector(_Fact):
    """Somebody of the pool. `covers`: roots of the subtrees they inspect; `own`: paths of the units they belong to."""

    person: UUID
    covers: tuple[str, ...]
    own: tuple[str, ...] = ()

    def may_enter(self, unit_path: str) -> bool:
        """回避: within their subtrees, but no unit of their own."""
        return unit_path.startswith(self.covers) and unit_path not in self.own


class Assigned(_Fact):
    """One drawn item in its cycle, and who visits it; the first of `inspectors` leads."""

    item: UUID
    cycle: int
    inspectors: tuple[UUID, ...]


class Drawing(_Fact):
    """What a draw gives. `set_aside`: items that too few of the pool may inspect; they could not be drawn."""

    assigned: tuple[Assigned, ...]
    set_aside: tuple[UUID, ...]


def population_hash(population: Iterable[Candidate]) -> str:
    """SHA-256 (hex) over the sorted lines `item:cycle`, joined by line feeds."""
    lines = sorted(f"{candidate.item}:{candidate.cycle}" for candidate in population)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def draw(
    population: Sequence[Candidate], inspectors: Sequence[Inspector], seed: str, *, count: int, team: int = 1
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
       have the fewest so far, ties in the order of `H("inspector", item, cycle, person)`.
    5. Of a team the one who has led the fewest so far leads, ties in the order of step 4.
    """
    pool = _Pool(inspectors)
    possible = [candidate for candidate in population if pool.size(candidate) >= team]
    turns = _Turns(seed, team)
    assigned = [
        Assigned(item=candidate.item, cycle=candidate.cycle, inspectors=turns.give(candidate, pool.people(candidate)))
        for candidate in _in_order(_sample(possible, seed, count), seed)
    ]
    aside = sorted(candidate.item for candidate in population if pool.size(candidate) < team)
    return Drawing(assigned=tuple(assigned), set_aside=tuple(aside))


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


def _h(seed: str, *parts: object) -> bytes:
    return hashlib.sha256("|".join([seed, *map(str, parts)]).encode()).digest()


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

    def __init__(self, seed: str, team: int) -> None:
        self._seed, self._team = seed, team
        self._loads: Counter[UUID] = Counter()
        self._leads: Counter[UUID] = Counter()

    def give(self, candidate: Candidate, people: Set[UUID]) -> tuple[UUID, ...]:
        def tie(person: UUID) -> bytes:
            return _h(self._seed, "inspector", candidate.item, candidate.cycle, person)

        fewest = sorted(people, key=lambda person: (self._loads[person], tie(person)))[: self._team]
        team = tuple(sorted(fewest, key=lambda person: (self._leads[person], tie(person))))
        self._loads.update(team)
        self._leads[team[0]] += 1
        return team


class DrawRecord(_Fact):
    """Everything that a draw was made from and what it gave: kept, printed, and drawn again by whoever doubts it.

    Its JSON form holds ids and unit paths only, no names.
    """

    algorithm: str
    seed: str
    count: int
    team: int
    population_hash: str
    population: tuple[Candidate, ...]
    inspectors: tuple[Inspector, ...]
    drawing: Drawing

    @classmethod
    def of(
        cls, population: Sequence[Candidate], inspectors: Sequence[Inspector], seed: str, *, count: int, team: int
    ) -> "DrawRecord":
        """Draw, and record it in the order of ids."""
        return cls(
            algorithm=ALGORITHM,
            seed=seed,
            count=count,
            team=team,
            population_hash=population_hash(population),
            population=tuple(sorted(population, key=lambda candidate: (candidate.item, candidate.cycle))),
            inspectors=tuple(sorted(inspectors, key=lambda inspector: inspector.person)),
            drawing=draw(population, inspectors, seed, count=count, team=team),
        )


def verify(record: DrawRecord) -> list[str]:
    """What does not hold in the record, as stable codes; empty where drawing again gives the very same.

    `unknown_algorithm`, `population_changed` (its hash is another), `drawing_differs`.
    """
    if record.algorithm != ALGORITHM:
        return ["unknown_algorithm"]
    faults = []
    if population_hash(record.population) != record.population_hash:
        faults.append("population_changed")
    again = draw(record.population, record.inspectors, record.seed, count=record.count, team=record.team)
    if again != record.drawing:
        faults.append("drawing_differs")
    return faults
