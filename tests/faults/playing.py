"""Playing one schedule: its faults are drawn from the seed and its number, and after each everything is checked."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from time import monotonic
from traceback import extract_tb

from tests.faults import families
from tests.faults.arena import WORKERS, Arena
from tests.faults.checking import Finding, check
from tests.faults.landing import land
from tests.faults.opening import clear, set_up
from tests.faults.stage import Stage

ANOTHER = 0.25
"""How often a schedule has one fault more."""


@dataclass
class Played:
    """One fault of a schedule, how long it took with all that followed, and what did not hold after it."""

    fault: str
    seconds: float = 0.0
    findings: list[Finding] = field(default_factory=list)


def drawn(seed: int, number: int, faults: Sequence[str]) -> tuple[Random, list[str]]:
    """The schedule's own chance and its faults: first each in its turn, then perhaps any other."""
    chance = Random(f"{seed}:{number}")
    plan = [faults[number % len(faults)]]
    while chance.random() < ANOTHER:
        plan.append(chance.choice(faults))
    return chance, plan


async def play(arena: Arena, seed: int, number: int) -> list[Played]:
    """The schedule from an empty zone to the last check. A fault after which something does not hold is the last."""
    known = families.load()
    chance, plan = drawn(seed, number, list(known))
    stage, played = await set_up(arena, chance), list[Played]()
    for name in plan:
        if played:  # another day: people's budget of this one may be spent
            await stage.to_morning(1)
            await land(stage)
        begun = monotonic()
        findings = await _suffer(stage, known[name])
        played.append(Played(name, monotonic() - begun, findings))
        if findings:
            break
    await _leave(stage, broken=any(one.findings for one in played))
    return played


async def _suffer(stage: Stage, fault: families.Fault) -> list[Finding]:
    try:
        await stage.stock_all()
        await fault(stage)
        await stage.arena.heal()
        await land(stage)
        return await check(stage)
    except Exception as failure:  # noqa: BLE001 — not hidden: it is the schedule's finding
        where = extract_tb(failure.__traceback__)[-1]
        return [Finding("other", f"{type(failure).__name__} at {where.name}:{where.lineno}: {failure}"[:400])]


async def _leave(stage: Stage, *, broken: bool) -> None:
    """All is well again for the next schedule, whatever this one has left behind."""
    await stage.arena.start_services()
    if broken or stage.worn:
        stage.arena.kill(*WORKERS)
    await stage.arena.up()
    await stage.arena.heal()
    await clear(stage)
