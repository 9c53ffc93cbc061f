"""What the search for re-used photos finds, and what it must keep apart, on openly licensed photos.

`python -m tests.corpus` measures all of it and writes the table of docs/evidence.md.
"""
