"""What a photo says of itself is read as it says it, and nothing it says can break the reading."""

import io
from datetime import UTC, datetime

import pytest
from PIL import Image
from PIL.ExifTags import GPS, Base

from tests import photos
from tests.credentials import vouched
from workers import pictures, traces
from workers.traces import Traces


def read(photo: bytes) -> Traces:
    return traces.of_photo(Image.open(io.BytesIO(photo)), photo)


@pytest.mark.parametrize(("offset", "hour"), [("+08:00", 1), ("", 1), ("+00:00", 9)])
def test_its_time_is_this_countrys_unless_it_says_another(offset, hour):
    said = read(photos.jpeg(details=photos.taken("2026:11:20 09:12:30", offset)))
    assert said.taken_at == datetime(2026, 11, 20, hour, 12, 30, tzinfo=UTC)


def test_its_place_is_read_to_about_a_kilometre():
    said = read(photos.jpeg(gps=photos.at(30.592849, 114.305539)))
    assert (said.latitude, said.longitude) == (30.59, 114.31)


def test_a_photo_that_says_nothing_has_no_traces():
    out = io.BytesIO()
    Image.new("RGB", (64, 48)).save(out, "PNG")
    assert read(out.getvalue()) == Traces()


@pytest.mark.parametrize(
    "tags",
    [
        {"details": photos.taken("0000:00:00 00:00:00")},
        {"details": photos.taken("昨天")},
        {"details": photos.taken("2026:11:20 09:12:30", "east")},
        {"details": {Base.DateTimeOriginal: "0001:01:01 00:00:00"}},
        {"gps": {GPS.GPSLatitude: (1.0, 2.0)}},
        {"gps": photos.at(0, 0)},
        {"gps": photos.at(200, 114)},
    ],
)
def test_nonsense_is_as_good_as_nothing(tags):
    said = read(photos.jpeg(software="", **tags))
    assert said == Traces()


def test_a_programs_name_is_kept_short_and_printable():
    assert (
        read(photos.jpeg(software="Adobe\n\x07 Photoshop" + "x" * 500)).software
        == ("Adobe Photoshop" + "x" * 500)[:120]
    )


async def test_a_manifest_is_read_with_its_issuer_in_the_drawing_process():
    said = (await pictures.draw(vouched(photos.jpeg(), maker="一家相机厂"), "image/jpeg", "ZL")).traces
    assert (said.issuer, said.intact, said.generated) == ("一家相机厂", True, False)


def test_a_manifest_says_that_a_machine_made_the_picture_up():
    assert read(vouched(photos.jpeg(), source="trainedAlgorithmicMedia")).generated


def test_a_photo_changed_after_it_was_signed_no_longer_agrees_with_its_manifest():
    photo = bytearray(vouched(photos.jpeg()))
    photo[-500] ^= 1
    said = read(bytes(photo))
    assert (said.issuer, said.intact) == ("A camera maker", False)


def test_the_mere_word_is_no_manifest():
    assert read(photos.jpeg(software="c2pa")).issuer is None
