"""docs/states.md, rendered from the transition table: a diagram and a table for people."""

from collections.abc import Iterator

from models.ledger.tables import State
from models.ledger.transitions import OF, TABLE, Action, Transition

HEAD = """# The states of an item

Written by `python -m models.ledger` from `models/ledger/transitions.py`, which the rules themselves read.

"""
RULES = """
Holding for every step:

- Whoever may not see the item is answered `not_found`; who may see it and may not take the step, `not_your_step`;
  from another state, `wrong_state`, naming the present one; a required field left empty, `required`, all at once.
- Owner, unit reviewer and oversight reviewer are three different people (`same_person`).
- A person who stands in for an absent one takes that person's steps; the log names both.
- The same step repeated by the same person is answered alike and has no second effect.
- One transaction: the item's row is locked, the fact, the audit row, reminders and timers are written together.
"""


def render() -> str:
    """The whole page as Markdown."""
    return HEAD + _diagram() + "\n" + _table() + RULES


def _diagram() -> str:
    arrows = [f"  {before} --> {after}: {label}" for before, after, label in _arrows()]
    names = [f"  {state}: {state} {state.label}" for state in State]
    return "\n".join(["```mermaid", "stateDiagram-v2", "  [*] --> draft", *names, *arrows, "```", ""])


def _arrows() -> Iterator[tuple[State, State, str]]:
    for step in TABLE:
        for before in _in_order(step):
            if step.after is not None:
                yield before, step.after, step.label
            if step.immediate_after is not None:
                yield before, step.immediate_after, f"{step.label}（立行立改）"
            if step.back:
                yield from ((before, origin, step.label) for origin in _in_order(OF[Action.SUSPEND]))


def _in_order(step: Transition) -> list[State]:
    return [state for state in State if state in step.before]


def _table() -> str:
    rows = [
        "| step | 步骤 | from | to | who | required | remarks |",
        "|---|---|---|---|---|---|---|",
        *(_row(step) for step in TABLE),
    ]
    return "\n".join(rows) + "\n"


def _row(step: Transition) -> str:
    before = " · ".join(f"`{state}`" for state in _in_order(step))
    after = f"`{step.after}`" if step.after else "the state before" if step.back else "as it was"
    if step.immediate_after:
        after += f" (immediate fix: `{step.immediate_after}`)"
    who = " · ".join(f"{party.label} `{party}`" for party in sorted(step.who))
    needs = " · ".join(f"{name} `{field}`" for field, name in step.needs)
    return f"| `{step.action}` | {step.label} | {before} | {after} | {who} | {needs} | {step.note} |"
