"""The tables of evidence."""

from enum import StrEnum
from typing import Any

from tortoise import fields
from tortoise.indexes import Index, PartialIndex
from tortoise.migrations.constraints import UniqueConstraint

from models.base.database import Row


class Kind(StrEnum):
    """Kinds of evidence (domain.md §6). All weigh the same: a photo is never required."""

    PHOTO = "photo"
    DOCUMENT = "document"
    TEXT = "text"
    PAPER_REFERENCE = "paper_reference"

    @property
    def is_file(self) -> bool:
        """Whether its content is an object of the store rather than words of the row."""
        return self in (Kind.PHOTO, Kind.DOCUMENT)


class Review(StrEnum):
    """What a reviewer, never the submitter nor the item's owner, said of it."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    MORE_WANTED = "more_wanted"

    @property
    def label(self) -> str:
        """As a cadre reads it."""
        return {"pending": "待审核", "accepted": "认可", "rejected": "不予采纳", "more_wanted": "需要补充"}[self.value]


class Form(StrEnum):
    """What is derived from a file: the view (upright, stripped, watermarked, 1600 px) and the thumbnail (320 px).

    Of a PDF, of its first page; of an office document, which is never opened, a sign of its kind.
    """

    VIEW = "view"
    THUMBNAIL = "thumbnail"


class Nonce(StrEnum):
    """What a phone brought back of the visit's nonce: none, one that is not of this visit and person, the right one."""

    ABSENT = "absent"
    FOREIGN = "foreign"
    GOOD = "good"


class DerivationState(StrEnum):
    """`failed`: the original cannot be drawn. It stays what it is, and can still be fetched and reviewed."""

    WAITING = "waiting"
    DONE = "done"
    FAILED = "failed"


class Damage(StrEnum):
    """Why an original is not what was received. `locked`: sealed under a master key that we do not have."""

    MISSING = "missing"
    ALTERED = "altered"
    LOCKED = "locked"

    @property
    def label(self) -> str:
        """As an administrator reads it."""
        return {"missing": "原件缺失", "altered": "原件被改动或损坏", "locked": "缺少解开原件的密钥"}[self.value]


class Blob(Row):
    """Bytes in the object store, once per zone under their SHA-256 (hex). `width` and `height` of photos, in pixels.

    They are hashed again and again: next at `verify_at`, last at `verified_at`, and `damage` is what was found then.
    """

    sha256 = fields.CharField(max_length=64)
    size = fields.BigIntField()
    media_type = fields.CharField(max_length=100)
    width = fields.IntField(null=True)
    height = fields.IntField(null=True)
    received_at = fields.DatetimeField()
    verify_at = fields.DatetimeField()
    verified_at = fields.DatetimeField(null=True)
    damage = fields.CharEnumField(Damage, max_length=16, null=True)

    class Meta:
        table = "blob"
        constraints = [UniqueConstraint(fields=("zone_id", "sha256"), name="blob_once")]
        indexes = [
            Index(fields=("zone_id", "verify_at"), name="blob_to_verify"),
            Index(fields=("zone_id", "damage"), name="blob_damaged"),
        ]


class Hold(Row):
    """Who is at work at an address of the store until then: a row that is about to name it, or (`clearing`) the sweep.

    Never both: so what an upload found there is not swept away before it is attached.
    """

    sha256 = fields.CharField(max_length=64)
    clearing = fields.BooleanField(default=False)
    until = fields.DatetimeField()

    class Meta:
        table = "hold"
        constraints = [UniqueConstraint(fields=("zone_id", "sha256"), name="hold_once")]
        indexes = [Index(fields=("zone_id", "until"), name="hold_over")]


class Evidence(Row):
    """One thing that shows something of an item (in one of its cycles) or of a visit.

    Three dates are kept apart: `captured_at` as claimed by whoever submitted it, `received_at` by the server,
    `effective_on` what it shows; `found_effective_on` is the last as its reviewer found it. `client_id` names the
    submission and `digest` is of all that was submitted: a replay is known by both. `nonce` and `clock_skew` (seconds
    by which the phone's clock was ahead when it sent) are what a phone brought along; None from anywhere else.
    """

    item_id = fields.UUIDField(null=True)
    visit_id = fields.UUIDField(null=True)
    cycle = fields.IntField(null=True)
    kind = fields.CharEnumField(Kind, max_length=16)
    sha256 = fields.CharField(max_length=64, null=True)
    text = fields.TextField(default="")
    paper_reference = fields.CharField(max_length=300, default="")
    submitted_by = fields.UUIDField()
    captured_at = fields.DatetimeField(null=True)
    received_at = fields.DatetimeField()
    effective_on = fields.DateField(null=True)
    client_id = fields.UUIDField()
    digest = fields.CharField(max_length=64)
    nonce: Nonce | None = fields.CharEnumField(Nonce, max_length=8, null=True)  # type: ignore[assignment]
    clock_skew = fields.IntField(null=True)
    review = fields.CharEnumField(Review, max_length=16, default=Review.PENDING)
    review_reason = fields.CharField(max_length=500, default="")
    found_effective_on = fields.DateField(null=True)
    reviewed_by = fields.UUIDField(null=True)
    reviewed_at: Any = fields.DatetimeField(null=True)

    class Meta:
        table = "evidence"
        constraints = [UniqueConstraint(fields=("zone_id", "client_id"), name="evidence_submitted_once")]
        indexes = [
            Index(fields=("zone_id", "item_id", "id"), name="evidence_of_item"),
            Index(fields=("zone_id", "visit_id", "id"), name="evidence_of_visit"),
            Index(fields=("zone_id", "sha256"), name="evidence_of_blob"),
        ]


class Upload(Row):
    """A file that comes in parts, and what it is to be submitted as; `length` and `arrived` in bytes.

    `holder` is whoever takes bytes at this moment, believed until `held_until`. `arrived` is `length` only where the
    file has become `evidence_id`. It is kept until `ends_at`, whether it has or not. `multipart` is the store's own id
    of an upload whose parts go to it directly.
    """

    submitted_by = fields.UUIDField()
    client_id = fields.UUIDField()
    kind = fields.CharEnumField(Kind, max_length=16)
    item_id = fields.UUIDField(null=True)
    visit_id = fields.UUIDField(null=True)
    captured_at: Any = fields.DatetimeField(null=True)
    effective_on: Any = fields.DateField(null=True)
    nonce: Nonce | None = fields.CharEnumField(Nonce, max_length=8, null=True)  # type: ignore[assignment]
    clock_skew: Any = fields.IntField(null=True)
    sha256: Any = fields.CharField(max_length=64, null=True)
    length = fields.BigIntField()
    arrived = fields.BigIntField(default=0)
    parts = fields.IntField(default=0)
    multipart: Any = fields.TextField(null=True)
    holder: Any = fields.UUIDField(null=True)
    held_until: Any = fields.DatetimeField(null=True)
    ends_at = fields.DatetimeField()
    evidence_id: Any = fields.UUIDField(null=True)

    class Meta:
        table = "upload"
        constraints = [UniqueConstraint(fields=("zone_id", "client_id"), name="upload_begun_once")]
        indexes = [
            PartialIndex(fields=("zone_id", "submitted_by"), name="upload_under_way", condition={"evidence_id": None}),
            Index(fields=("zone_id", "ends_at"), name="upload_ended"),
        ]


class UploadPart(Row):
    """A run of an upload's bytes from `starts_at`, an object of the store that bears the row's id."""

    upload_id = fields.UUIDField()
    starts_at = fields.BigIntField()
    size = fields.BigIntField()

    class Meta:
        table = "upload_part"
        constraints = [UniqueConstraint(fields=("zone_id", "upload_id", "starts_at"), name="upload_part_once")]


class UploadDay(Row):
    """Bytes for which room was asked on a day (Shanghai), by a person or, under `NO_ZONE`, by all of the zone."""

    person_id = fields.UUIDField()
    day = fields.DateField()
    bytes = fields.BigIntField()

    class Meta:
        table = "upload_day"
        constraints = [UniqueConstraint(fields=("zone_id", "day", "person_id"), name="upload_day_once")]


class Derivation(Row):
    """A picture made from a file, an object of the store under `sha256` once it is done.

    `attempts` counts before each try, so that a picture that takes its worker down is given up too.
    """

    evidence_id = fields.UUIDField()
    form = fields.CharEnumField(Form, max_length=16)
    state = fields.CharEnumField(DerivationState, max_length=16, default=DerivationState.WAITING)
    attempts = fields.IntField(default=0)
    sha256 = fields.CharField(max_length=64, null=True)
    size = fields.BigIntField(null=True)

    class Meta:
        table = "derivation"
        constraints = [UniqueConstraint(fields=("zone_id", "evidence_id", "form"), name="derivation_once")]
        indexes = [Index(fields=("zone_id", "sha256"), name="derivation_of_picture")]


class Look(Row):
    """One 256-bit hash (`bits`, 32 bytes) of how a photo, in one of its framings, or a statement looks.

    `number` counts up within the zone and kind in the order of commits (given under a lock), so that whoever keeps a
    copy needs to read only what follows the last number it has.
    """

    evidence_id = fields.UUIDField()
    kind = fields.CharEnumField(Kind, max_length=16)
    number = fields.BigIntField()
    bits = fields.BinaryField()

    class Meta:
        table = "look"
        constraints = [UniqueConstraint(fields=("zone_id", "kind", "number"), name="look_numbered")]
        indexes = [Index(fields=("zone_id", "evidence_id"), name="look_of_evidence")]


class Likeness(Row):
    """Two pieces of evidence that look alike, noted once, when the later one came; `distance` in bits of 256."""

    evidence_id = fields.UUIDField()
    other_id = fields.UUIDField()
    distance = fields.SmallIntField()

    class Meta:
        table = "likeness"
        constraints = [UniqueConstraint(fields=("zone_id", "evidence_id", "other_id"), name="likeness_once")]
        indexes = [Index(fields=("zone_id", "other_id", "evidence_id"), name="likeness_to_later")]


class Trace(Row):
    """What a photo says of itself, as workers.traces read it; nobody vouches for it. Places to about a kilometre."""

    evidence_id = fields.UUIDField()
    taken_at = fields.DatetimeField(null=True)
    latitude = fields.FloatField(null=True)
    longitude = fields.FloatField(null=True)
    software = fields.CharField(max_length=120, default="")
    issuer = fields.CharField(max_length=120, null=True)
    intact = fields.BooleanField(null=True)
    generated = fields.BooleanField(default=False)

    class Meta:
        table = "trace"
        constraints = [UniqueConstraint(fields=("zone_id", "evidence_id"), name="trace_once")]
