"""`python -m tests.bench.peer --port N`: one uvicorn process on uvloop and httptools."""

import argparse

import uvicorn

parser = argparse.ArgumentParser()
parser.add_argument("--port", type=int, required=True)
uvicorn.run("tests.bench.peer.app:app", port=parser.parse_args().port, access_log=False, log_level="warning")
