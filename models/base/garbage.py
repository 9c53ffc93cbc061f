"""Python's collector of cycles, told once that what a process has loaded by the time it is ready stays.

Unasked it walks through all of it again and again: a third of a worker's time under load, and pauses of a tenth of a
second in the API (measured). Nearly all garbage of ours is freed by counting anyway.
"""

import gc

YOUNG = 50_000
"""Objects made and not freed since the last look, from which the young ones are looked at."""


def settle() -> None:
    """Everything there is now is no garbage; look for more seldom. Once, when a process is ready."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, 10, 10)
