"""Measure, print, and write the table between the two marks of docs/evidence.md."""

from pathlib import Path
from statistics import mean

from rich import print

from tests.corpus.recall import WITHIN, apart, found
from tests.corpus.scenes import scenes

PAGE = Path(__file__).parents[2] / "docs" / "evidence.md"
BEGIN, END = "<!-- written by python -m tests.corpus -->\n", "<!-- end -->\n"


def table() -> str:
    """The figures as Markdown."""
    photos = scenes()
    between = sorted(apart(photos))
    false = sum(distance <= WITHIN for distance in between)
    lines = [
        f"{len(photos)} scenes; {len(between):,} pairs of pictures that share nothing, the nearest {between[0]} bits "
        f"apart: {false} false hits at {WITHIN}.",
        "",
        f"| what was done to the photo | found within {WITHIN} | farthest, bits |",
        "|---|---|---|",
    ]
    for change, distances in found(photos).items():
        recall = mean(distance <= WITHIN for distance in distances.values())
        lines.append(f"| {change} | {recall:.2f} | {max(distances.values())} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure."""
    before, _, rest = PAGE.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    measured = table()
    PAGE.write_text(f"{before}{BEGIN}{measured}{END}{after}")
    print(measured)


if __name__ == "__main__":
    main()
