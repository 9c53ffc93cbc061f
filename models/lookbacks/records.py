"""The record of a draw: kept, printed, and drawn again by whoever doubts it."""

import hashlib
from collections.abc import Iterable, Sequence
from enum import StrEnum

import orjson

from models.lookbacks.drawing import ALGORITHM, Candidate, Drawing, Fact, Inspector, draw, population_hash

FROZEN = "lookback.frozen"
"""The act by which the inputs of a draw enter the log; the block that seals it gives the seed."""


class SeedFrom(StrEnum):
    """Who could have chosen the seed (docs/adr/0021): `log` is the block that seals the inputs."""

    CALLED = "called"
    MACHINE = "machine"
    LOG = "log"

    @property
    def label(self) -> str:
        """As the printed record says it."""
        return {
            "called": "当众报出",
            "machine": "抽取时由系统随机生成",
            "log": "范围封存之后，由封存这一记录的日志区块给出，任何人不能选定",
        }[self.value]


class DrawInputs(Fact):
    """Everything that a draw is made from, but for the seed, in the order of ids. Ids and unit paths only, no names."""

    algorithm: str = ALGORITHM
    count: int
    team: int
    joint: bool = False
    population: tuple[Candidate, ...]
    inspectors: tuple[Inspector, ...]

    @classmethod
    def of(
        cls,
        population: Sequence[Candidate],
        inspectors: Sequence[Inspector],
        *,
        count: int,
        team: int = 1,
        joint: bool = False,
    ) -> "DrawInputs":
        """In the order of ids, whatever order they come in."""
        return cls(
            count=count,
            team=team,
            joint=joint,
            population=tuple(sorted(population, key=lambda candidate: (candidate.item, candidate.cycle))),
            inspectors=tuple(sorted(inspectors, key=lambda inspector: inspector.person)),
        )

    def hash(self) -> str:
        """SHA-256 (hex) over these fields as JSON in UTF-8, keys sorted, without spaces."""
        form = {name: value for name, value in self.model_dump(mode="json").items() if name in DrawInputs.model_fields}
        return hashlib.sha256(orjson.dumps(form, option=orjson.OPT_SORT_KEYS)).hexdigest()

    def draw(self, seed: str) -> Drawing:
        """What the seed draws from them."""
        return draw(self.population, self.inspectors, seed, count=self.count, team=self.team, joint=self.joint)

    def drawn(self, seed: str, seed_from: SeedFrom) -> "DrawRecord":
        """Draw, and record it."""
        return DrawRecord(
            **{name: getattr(self, name) for name in DrawInputs.model_fields},
            seed=seed,
            seed_from=seed_from,
            population_hash=population_hash(self.population),
            inputs_hash=self.hash(),
            drawing=self.draw(seed),
        )


class DrawRecord(DrawInputs):
    """What a draw was made from and what it gave."""

    seed: str
    seed_from: SeedFrom
    population_hash: str
    inputs_hash: str
    drawing: Drawing


FAULTS = {
    "unknown_algorithm": "it was drawn by an algorithm that this version does not know",
    "population_changed": "items were added to or removed from the population: its hash is another",
    "inputs_changed": "inspectors, counts or conflicts of interest were changed: the hash of the inputs is another",
    "drawing_differs": "drawing again from its seed gives another result",
    "not_frozen_in_log": "the log does not hold that these inputs were frozen before the draw",
    "seed_not_of_log": "its seed is not the hash of the block that seals the frozen inputs",
}
"""What each fault means, in plain words."""


def verify(record: DrawRecord) -> list[str]:
    """What does not hold in the record, as keys of `FAULTS`; empty where drawing again gives the very same."""
    if record.algorithm != ALGORITHM:
        return ["unknown_algorithm"]
    faults = []
    if population_hash(record.population) != record.population_hash:
        faults.append("population_changed")
    if record.hash() != record.inputs_hash:
        faults.append("inputs_changed")
    if record.draw(record.seed) != record.drawing:
        faults.append("drawing_differs")
    return faults


def verify_seed(record: DrawRecord, log: Iterable[bytes]) -> list[str]:
    """Whether the log (lines of an export, itself checked apart) gave the record's seed; keys of `FAULTS`.

    Only a seed that is said to come `from` the log can be held against it; any other passes.
    """
    if record.seed_from is not SeedFrom.LOG:
        return []
    frozen = False
    for line in log:
        entry = orjson.loads(line)
        if entry["kind"] == "row":
            frozen |= entry["action"] == FROZEN and entry["data"].get("inputs") == record.inputs_hash
        elif frozen:
            return [] if entry["hash"] == record.seed else ["seed_not_of_log"]
    return ["not_frozen_in_log"]
