"""What a photo says of itself: when, where and with what it was made, and who vouches for it. Read, never believed."""

import io
import json
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from PIL import Image
from PIL.ExifTags import GPS, IFD, Base

HERE = ZoneInfo("Asia/Shanghai")
"""Of a time that does not say its own."""
DECIMALS = 2
"""About a kilometre: enough to see that a photo was made elsewhere, too little to follow anybody."""
LONGEST = 120
CREDENTIALS = b"c2pa"
OFFLINE = {"verify": {"remote_manifest_fetch": False, "ocsp_fetch": False}}
GENERATED = "trainedAlgorithmicMedia"
UNTRUSTED = "signingCredential.untrusted"
"""We keep no list of issuers, so this is said of every one of them."""


@dataclass(frozen=True, slots=True)
class Traces:
    """None and empty where the file does not say. Places in degrees.

    `issuer` is who signed its C2PA manifest, as they call themselves; `intact`: whether file and signature still
    agree; `generated`: the manifest says that a machine made the picture up.
    """

    taken_at: datetime | None = None
    latitude: float | None = None
    longitude: float | None = None
    software: str = ""
    issuer: str | None = None
    intact: bool | None = None
    generated: bool = False


def of_photo(image: Image.Image, original: bytes) -> Traces:
    """Of an opened photo that is not yet decoded, and its bytes."""
    exif = image.getexif()
    latitude, longitude = _place(exif.get_ifd(IFD.GPSInfo))
    issuer, intact, generated = _credentials(original, Image.MIME[str(image.format)])
    return Traces(_taken_at(exif.get_ifd(IFD.Exif)), latitude, longitude, _software(exif), issuer, intact, generated)


def _taken_at(details: dict[int, Any]) -> datetime | None:
    with suppress(ValueError, TypeError, OverflowError, KeyError):
        local = datetime.strptime(str(details[Base.DateTimeOriginal])[:19], "%Y:%m:%d %H:%M:%S")  # noqa: DTZ007
        ahead = str(details.get(Base.OffsetTimeOriginal, ""))
        zone = datetime.strptime(ahead, "%z").tzinfo if ahead.strip() else HERE
        return local.replace(tzinfo=zone).astimezone(UTC)
    return None


def _place(gps: dict[int, Any]) -> tuple[float, float] | tuple[None, None]:
    with suppress(ValueError, TypeError, ZeroDivisionError, KeyError):
        latitude = _degrees(gps[GPS.GPSLatitude], str(gps[GPS.GPSLatitudeRef]).upper() == "S")
        longitude = _degrees(gps[GPS.GPSLongitude], str(gps[GPS.GPSLongitudeRef]).upper() == "W")
        if abs(latitude) <= 90 and abs(longitude) <= 180 and (latitude, longitude) != (0, 0):
            return latitude, longitude
    return None, None


def _degrees(parts: Any, negative: bool) -> float:
    degrees, minutes, seconds = (float(part) for part in parts)
    return round((degrees + minutes / 60 + seconds / 3600) * (-1 if negative else 1), DECIMALS)


def _software(exif: Image.Exif) -> str:
    said = [str(exif.get(tag, "")) for tag in (Base.Software, Base.ProcessingSoftware)]
    return "".join(sign for sign in max(said, key=len).strip() if sign.isprintable())[:LONGEST]


def _credentials(original: bytes, media_type: str) -> tuple[str | None, bool | None, bool]:
    if CREDENTIALS not in original:
        return None, None, False
    import c2pa  # noqa: PLC0415 - 50 MB that few photos need

    try:
        with c2pa.Reader(media_type, io.BytesIO(original), context=c2pa.Context.from_dict(OFFLINE)) as reader:
            said = json.loads(reader.json())
    except (c2pa.C2paError, ValueError):
        return None, None, False
    active = said["manifests"].get(said.get("active_manifest"), {})
    issuer = str(active.get("signature_info", {}).get("issuer") or "")[:LONGEST]
    faults = {status["code"] for status in said.get("validation_status", ())} - {UNTRUSTED}
    return issuer, not faults, GENERATED in json.dumps(active.get("assertions", ()))
