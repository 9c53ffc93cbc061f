"""`python -m models.ledger` writes docs/states.md from the transition table."""

from pathlib import Path

from models.ledger.states_page import render

if __name__ == "__main__":
    Path("docs/states.md").write_text(render())
