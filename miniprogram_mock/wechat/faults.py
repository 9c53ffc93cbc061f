"""Faults on order: what a test asks the platform to do wrong, for which calls, how often."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

CALL_KINDS = frozenset({
    "latency", "errcode", "status", "drop_before", "drop_after", "hang_before", "hang_after", "drip", "garbage",
})  # fmt: skip
PUSH_KINDS = frozenset({"latency", "lose", "duplicate"})
MOST = 1000


@dataclass(slots=True)
class Fault:
    """One order. `path` is a glob over request paths, or over `push:EVENT` for pushes to the backend."""

    id: int
    path: str
    kind: str
    options: dict[str, Any]
    times: int | None = None
    probability: float = 1.0
    touser: str | None = None
    hits: int = 0

    def described(self) -> dict[str, Any]:
        """The order as it was given, with how often it struck."""
        own = {"id": self.id, "path": self.path, "kind": self.kind, "hits": self.hits}
        return own | {"times": self.times, "probability": self.probability, "touser": self.touser} | self.options


@dataclass(slots=True)
class Faults:
    """Orders in the sequence given; the first that matches strikes. Chance is seeded, so runs can be repeated."""

    _orders: list[Fault] = field(default_factory=list)
    _chance: random.Random = field(default_factory=lambda: random.Random(20_141_124))
    _last_id: int = 0

    def __bool__(self) -> bool:
        return bool(self._orders)

    def add(
        self,
        path: str,
        kind: str,
        *,
        options: dict[str, Any],
        times: int | None,
        probability: float,
        touser: str | None,
    ) -> Fault | None:
        """Take an order; None when there are already too many."""
        if len(self._orders) >= MOST:
            return None
        self._last_id += 1
        self._orders.append(Fault(self._last_id, path, kind, options, times, probability, touser))
        return self._orders[-1]

    def pick(self, path: str, touser: str | None = None) -> Fault | None:
        """The fault that this call suffers, counted."""
        for fault in self._orders:
            if not fnmatchcase(path, fault.path) or (fault.touser and fault.touser != touser):
                continue
            if fault.times is not None and fault.hits >= fault.times:
                continue
            if fault.probability < 1.0 and self._chance.random() >= fault.probability:
                continue
            fault.hits += 1
            return fault
        return None

    def jitter(self, most_ms: float) -> float:
        """A seeded chance delay up to `most_ms`."""
        return self._chance.uniform(0, most_ms)

    def remove(self, fault_id: int | None = None) -> None:
        """Take back one order, or all of them."""
        self._orders = [fault for fault in self._orders if fault_id is not None and fault.id != fault_id]

    def all(self) -> list[Fault]:
        """Every order, spent ones too."""
        return list(self._orders)
