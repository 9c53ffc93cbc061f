"""The bench: the product's hot paths beside what the machine can do at all and beside a well-made peer.

`python -m tests.bench` loads a zone, starts the real API, a bare server (the limit) and a FastAPI
server (the peer) on the same database, asks them in turn with the same load, and prints medians and ratios.
"""
