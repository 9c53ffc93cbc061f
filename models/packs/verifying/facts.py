"""What the pack says of an item against what the log's rows pin: who reads one may believe the other."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from models.base.audit import hash_of_line, words_hash
from models.evidence import digest_of

Rows = dict[str, dict[str, Any]]
ATTACHED, REVIEWED = "evidence.attached", "evidence.reviewed"
VISITED = ("visit.recorded", "visit.corrected")


@dataclass(frozen=True, slots=True)
class Mismatch:
    """What does not match: a file of the pack, or something within it, and why."""

    name: str
    reason: str


def check_rows(
    path: str, lines: Iterable[bytes], zone_id: str
) -> Iterator[tuple[dict[str, Any] | None, Mismatch | None]]:
    """Each row of the log that can be read, and what is wrong with one."""
    for number, line in enumerate(lines, 1):
        try:
            row = orjson.loads(line)
            sound = hash_of_line(row).hex() == row["hash"]
            ours = row["zone_id"] == zone_id
        except (ValueError, KeyError, TypeError, AttributeError):
            yield None, Mismatch(f"{path}: line {number}", "cannot be read")
            continue
        if not sound:
            yield row, Mismatch(f"{path}: row {row['id']}", "its content does not match its hash")
        elif not ours:
            yield row, Mismatch(f"{path}: row {row['id']}", "belongs to another zone")
        else:
            yield row, None


def check_facts(path: str, content: bytes, rows: Rows) -> Iterator[Mismatch]:
    """An item's facts (item.json) against its rows."""
    try:
        facts = orjson.loads(content)
        found = [*_timeline(facts, rows), *_evidence(facts, rows), *_visits(facts, rows)]
    except (ValueError, KeyError, TypeError, AttributeError) as unreadable:
        yield Mismatch(path, f"cannot be read: {type(unreadable).__name__}")
        return
    yield from (Mismatch(f"{path}: {name}", reason) for name, reason in found)


def _timeline(facts: dict[str, Any], rows: Rows) -> Iterator[tuple[str, str]]:
    spoken = {row_id for row_id, row in rows.items() if "words_sha256" in row["data"] and "report" in row["data"]}
    for moment in facts["timeline"]:
        name, row = f"moment {moment['row']}", rows.get(moment["row"])
        spoken.discard(moment["row"])
        if row is None:
            yield name, "the log knows nothing of it"
        elif (row["action"], _instant(row["at"])) != (moment["event"], _instant(moment["at"])):
            yield name, "the log tells another act, or another time"
        elif row["data"].get("words_sha256", words_hash("", "")) != words_hash(moment["text"], moment["missing"]):
            yield name, "its words are not those that the log pins"
    yield from ((f"moment {row_id}", "stands in the log, but not here") for row_id in sorted(spoken))


def _evidence(facts: dict[str, Any], rows: Rows) -> Iterator[tuple[str, str]]:
    attached = {row["subject_id"]: row for row in rows.values() if row["action"] == ATTACHED}
    reviewed = {row["subject_id"]: row["data"] for row in rows.values() if row["action"] == REVIEWED}
    for piece in facts["evidence"]:
        name, row = f"evidence {piece['id']}", attached.pop(piece["id"], None)
        if row is None:
            yield name, "the log knows nothing of it"
        elif row["data"].get("digest") != _digest(piece):
            yield name, "its words, dates or file are not those that the log pins"
        elif not _same_word(piece, reviewed.get(piece["id"])):
            yield name, "its review is not the one that the log tells"
        original = piece["files"].get("original", "")
        if piece["sha256"] and not original.startswith(f"originals/{piece['sha256']}."):
            yield name, "its original is not among the files"
    yield from ((f"evidence {left}", "stands in the log, but not here") for left in sorted(attached))


def _digest(piece: dict[str, Any]) -> str:
    captured = piece["captured_at"] and int(_instant(piece["captured_at"]).timestamp())
    return digest_of(
        kind=piece["kind"],
        item=piece["item_id"],
        visit=piece["visit_id"],
        sha256=piece["sha256"],
        text=piece["text"],
        paper=piece["paper_reference"],
        captured=captured,
        effective=piece["effective_on"],
    )


def _same_word(piece: dict[str, Any], said: dict[str, Any] | None) -> bool:
    if said is None:
        return piece["review"] == "pending" and not piece["review_reason"]
    reason = words_hash(piece["review_reason"]) if piece["review_reason"] else None
    here = (piece["review"], reason, piece["found_effective_on"])
    return here == (said["verdict"], said.get("reason_sha256"), said.get("effective_on"))


def _visits(facts: dict[str, Any], rows: Rows) -> Iterator[tuple[str, str]]:
    told = {row["data"]["record"]: row["data"] for row in rows.values() if row["action"] in VISITED}
    for record in (record for visit in facts["visits"] for record in visit["records"]):
        name, row = f"record {record['id']}", told.pop(record["id"], None)
        if row is None:
            yield name, "the log knows nothing of it"
        elif (row["verdict"], row["words_sha256"]) != (record["verdict"], _words_of(record)):
            yield name, "its verdict or words are not those that the log pins"
    yield from ((f"record {left}", "stands in the log, but not here") for left in sorted(told))


def _words_of(record: dict[str, Any]) -> str:
    return words_hash(record["seen"], record["interview"], record["follow_up"])


def _instant(said: str) -> datetime:
    return datetime.fromisoformat(said)
