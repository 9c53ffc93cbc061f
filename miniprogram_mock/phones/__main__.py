"""Load: phones that sign in, consent, read their inbox and acknowledge. `python -m miniprogram_mock.phones --help`."""

import argparse
import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from statistics import quantiles
from time import monotonic, perf_counter

from python_calamine import CalamineWorkbook
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from miniprogram_mock.phones.fleet import AT_ONCE, Fleet
from miniprogram_mock.phones.phone import Phone


class Stopwatch:
    """Seconds that each kind of act took, one number an act."""

    def __init__(self) -> None:
        self._taken: dict[str, list[float]] = defaultdict(list)

    def of(self, name: str, act: Callable[[Phone], Awaitable[object]]) -> Callable[[Phone], Awaitable[object]]:
        """`act`, timed under `name`."""

        async def timed(phone: Phone) -> object:
            begun = perf_counter()
            seen = await act(phone)
            self._taken[name].append(perf_counter() - begun)
            return seen

        return timed

    def table(self, seconds: float) -> Table:
        """Counts, and milliseconds at the median and beyond."""
        table = Table("act", "count", "median ms", "p99 ms", title=f"{seconds:.1f} s")
        for name, taken in self._taken.items():
            cuts = quantiles([*taken, taken[-1]], n=100)
            table.add_row(name, str(len(taken)), f"{cuts[49] * 1000:.1f}", f"{cuts[98] * 1000:.1f}")
        return table


async def acknowledge_all(phone: Phone) -> None:
    """Read the inbox, receive what was assigned, take note of the rest."""
    for reminder in await phone.inbox():
        if reminder["kind"] == "to_receive":
            await phone.receive(reminder["subject_id"])
        else:
            await phone.acknowledge(reminder["id"])


async def drive(asked: argparse.Namespace, numbers: list[str], console: Console) -> Stopwatch:
    """Every phone signs in and consents once, then reads and acknowledges for so many rounds."""
    watch = Stopwatch()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    opened = Fleet.open(numbers, api_url=asked.api, wechat_url=asked.wechat, at_once=asked.at_once)
    async with opened as fleet:
        with Progress(*columns, console=console) as progress:
            await fleet.register()
            acts: Iterable[tuple[str, Callable[[Phone], Awaitable[object]]]] = (
                ("sign in", Phone.sign_in),
                ("consent", Phone.consent),
                *([("read the inbox", Phone.inbox)] * asked.rounds),
                ("acknowledge all", acknowledge_all),
            )
            for name, act in acts:
                task = progress.add_task(name, total=len(fleet))
                await fleet.all(watch.of(name, act), done=lambda task=task: progress.advance(task))  # type: ignore[misc]
    return watch


def roster_numbers(file: Path, count: int) -> list[str]:
    """The first `count` mobile numbers of a roster workbook (sheet 人员, column 手机号)."""
    header, *rows = CalamineWorkbook.from_path(file).get_sheet_by_name("人员").to_python()
    column = header.index("手机号")
    return [str(row[column]).removesuffix(".0") for row in rows if row[column]][:count]


def main() -> None:
    """Read the arguments, drive the load, print what it took."""
    parser = argparse.ArgumentParser(prog="python -m miniprogram_mock.phones", description=__doc__)
    parser.add_argument("--api", default="http://127.0.0.1:8000", help="the product")
    parser.add_argument("--wechat", default="http://127.0.0.1:9797", help="the mock platform")
    parser.add_argument("--roster", type=Path, required=True, help="workbook with the phones' numbers")
    parser.add_argument("--count", type=int, default=100, help="how many phones")
    parser.add_argument("--rounds", type=int, default=5, help="how often each reads its inbox")
    parser.add_argument("--at-once", type=int, default=AT_ONCE, help="requests under way at once")
    asked = parser.parse_args()
    console, begun = Console(), monotonic()
    watch = asyncio.run(drive(asked, roster_numbers(asked.roster, asked.count), console))
    console.print(watch.table(monotonic() - begun))


if __name__ == "__main__":
    main()
