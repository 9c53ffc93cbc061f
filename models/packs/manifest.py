"""The manifest of a pack, as it is written and as it is read: what is not of this form is no manifest."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from models.packs.tables import PackSubject

FORMAT = "zhuoluo-pack/1"
PATH = "manifest.json"
MOST_FILES = 50_000
SHA256 = r"^[0-9a-f]{64}$"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FileFact(_Part):
    """A file of the pack: `size` in bytes, `what` it is, of which `item` where it belongs to one."""

    path: str = Field(min_length=1, max_length=300)
    size: int = Field(ge=0)
    sha256: str = Field(pattern=SHA256)
    what: str
    item: str | None = None


class ZoneFact(_Part):
    """Whose file it is."""

    id: UUID
    code: str
    name: str


class SubjectFact(_Part):
    """Of what."""

    type: PackSubject
    id: UUID


class ChainFact(_Part):
    """The log's last block when the pack was made."""

    height: int = Field(ge=1)
    hash: str = Field(pattern=SHA256)


class Manifest(_Part):
    """All of it. `lost`: paths of originals and views that the store no longer had, or not whole."""

    format: str = FORMAT
    name: str
    zone: ZoneFact
    subject: SubjectFact
    made_at: datetime
    classification: str
    chain: ChainFact
    lost: list[str] = Field(max_length=MOST_FILES)
    files: list[FileFact] = Field(max_length=MOST_FILES)
