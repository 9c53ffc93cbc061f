"""`make faults`: hundreds of random schedules of faults, a table, `.local/faults/results.json`.

`FAULTS_SEED` (default: drawn, and printed) decides everything, `FAULTS_ONLY=7,12` repeats single schedules,
`FAULTS_SCHEDULES` says how many. The exit status is 0 where everything held, 1 where something did not, 2 where an
arena was lost.
"""

import asyncio
import os
import secrets
import shutil

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from deploy import local
from tests.faults.results import Results, told
from tests.faults.running import ARENAS, ArenaLost, run

SCHEDULES = 300
COLUMNS = (
    TextColumn("{task.description}"),
    BarColumn(),
    MofNCompleteColumn(),
    TimeElapsedColumn(),
    TimeRemainingColumn(),
)


async def play(results: Results, numbers: list[int], console: Console) -> None:
    """Under a progress bar; what does not hold is printed as it comes."""
    with Progress(*COLUMNS, console=console) as progress:
        task = progress.add_task("schedules", total=len(numbers))
        folder, arenas = results.file.parent, min(ARENAS, len(numbers))
        async for number, findings in run(results, numbers, folder, arenas=arenas):
            progress.advance(task)
            for finding in findings:
                progress.console.print(told(results.seed, number, finding), style="red", soft_wrap=True)


def main() -> int:
    """Play what the environment asks for."""
    console, asked = Console(), os.environ.get
    seed = int(asked("FAULTS_SEED") or secrets.randbelow(1_000_000))
    only = [int(number) for number in (asked("FAULTS_ONLY") or "").split(",") if number]
    numbers = only or list(range(int(asked("FAULTS_SCHEDULES") or SCHEDULES)))
    results = Results(local.data_directory() / "faults" / "results.json", seed)
    console.print(f"FAULTS_SEED={seed}: {len(numbers)} schedules")
    try:
        asyncio.run(play(results, numbers, console))
    except ArenaLost as lost:
        console.print(f"[red]stopped:[/] {lost}")
        return 2
    except KeyboardInterrupt:
        console.print("interrupted; what was played is kept")
    finally:
        results.print(console)
        console.print(f"saved to {results.file}")
    for place in range(ARENAS):
        shutil.rmtree(results.file.parent / f"arena{place}", ignore_errors=True)
    return 0 if results.met else 1


if __name__ == "__main__":
    raise SystemExit(main())
