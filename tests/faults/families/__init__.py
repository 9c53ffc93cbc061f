"""Faults by family: a module is a family, each function marked with `@fault` one fault of it."""

import importlib
import pkgutil
from collections.abc import Awaitable, Callable

from tests.faults.stage import Stage

Fault = Callable[[Stage], Awaitable[None]]
FAULTS: dict[str, Fault] = {}
"""By `family.name`, in one order: a schedule is drawn by number."""


def fault(work: Fault) -> Fault:
    """Have this played: it owes something, does its harm and mends it; what must hold then is checked elsewhere."""
    FAULTS[f"{work.__module__.rpartition('.')[2]}.{work.__name__}"] = work
    return work


def load() -> dict[str, Fault]:
    """Every fault of every family."""
    for module in sorted(found.name for found in pkgutil.iter_modules(__path__)):
        importlib.import_module(f"{__name__}.{module}")
    return FAULTS
