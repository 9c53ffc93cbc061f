"""Pictures are drawn from photos, within bounds; what cannot be drawn is given up and stays."""

import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from PIL import Image
from redis.asyncio import Redis

from deploy.sample import documents
from gateways.store import Store
from gateways.wechat import WeChat
from models import evidence
from models.base.outbox import Promise, PromiseState
from models.base.settings import Settings
from models.evidence import Derivation, DerivationState, Evidence, Form, Kind, Look, Submission
from models.organization import Zone
from tests import photos
from tests.office import Office, open_office
from workers import pictures
from workers.evidence import derive
from workers.relay import Context, Relay

pytestmark = pytest.mark.usefixtures("database")
CHECKOUT = Path(__file__).parents[2]
JPEG, PDF = "image/jpeg", "application/pdf"


@pytest.fixture
async def office(zone: Zone) -> Office:
    return await open_office(zone)


@pytest.fixture
async def context(settings: Settings, redis: Redis, tmp_path: Path) -> AsyncIterator[Context]:
    wechat = WeChat(settings.wechat, redis)
    yield Context(settings, redis, wechat, Store.open(f"file://{tmp_path}/objects"))
    await wechat.close()


async def submitted(office: Office, context: Context, content: bytes, kind: Kind = Kind.PHOTO) -> Evidence:
    async def sent():
        yield content

    item = await office.received()
    received = await evidence.take_in(office.zone.id, kind, sent(), store=context.store)
    given = Submission(client_id=uuid4(), kind=kind, item_id=item.id, received=received)
    return await evidence.attach(given, by=office.owner)


async def picture(context: Context, row: Evidence, form: Form) -> Image.Image:
    drawn = await evidence.picture_of(row, form)
    content = await context.store.read(evidence.address(row.zone_id, drawn.sha256 or ""))
    assert len(content) == drawn.size
    assert b"maker" not in content
    return Image.open(io.BytesIO(content))


async def states(evidence_id: UUID) -> set[DerivationState]:
    return {row.state for row in await Derivation.filter(evidence_id=evidence_id)}


async def test_a_photo_gets_an_upright_stripped_captioned_view_and_a_thumbnail(office, context):
    row = await submitted(office, context, photos.jpeg(4000, 3000, orientation=6))
    await Relay(context).drain()
    view, thumbnail = await picture(context, row, Form.VIEW), await picture(context, row, Form.THUMBNAIL)
    assert (view.format, view.size) == ("WEBP", (1200, 1600))
    assert (thumbnail.format, thumbnail.size) == ("WEBP", (240, 320))
    assert not view.getexif()
    plain, captioned = view.getpixel((600, 100)), view.crop((0, 1550, 1200, 1600)).getcolors(100_000)
    assert plain not in {colour for _, colour in captioned}
    assert thumbnail.getpixel((120, 318)) == pytest.approx(plain, abs=6)
    assert await Promise.filter(zone_id=row.zone_id, job=evidence.DERIVE, state=PromiseState.KEPT).count() == 1


async def test_a_photo_as_an_iphone_writes_it_is_drawn_upright(office, context):
    row = await submitted(office, context, photos.heic(900, 600, orientation=6))
    await Relay(context).drain()
    view = await picture(context, row, Form.VIEW)
    assert (view.format, view.size) == ("WEBP", (600, 900))
    assert not view.getexif()


async def test_of_a_pdf_the_first_page_is_drawn(office, context):
    row = await submitted(office, context, documents.pdf("说明", ("已办结。",)), Kind.DOCUMENT)
    await Relay(context).drain()
    view = await picture(context, row, Form.VIEW)
    assert (view.format, view.size) == ("WEBP", (1131, 1600))
    assert view.getpixel((10, 10)) == (255, 255, 255)
    assert await Look.filter(zone_id=row.zone_id).count() == 0


@pytest.mark.parametrize(("content", "colour"), [(photos.docx(), (43, 87, 154)), (photos.xlsx(), (33, 115, 70))])
async def test_an_office_document_gets_a_sign_and_is_never_opened(office, context, content, colour):
    row = await submitted(office, context, content, Kind.DOCUMENT)
    await context.store.delete(evidence.address(row.zone_id, row.sha256 or ""))
    await Relay(context).drain()
    view = await picture(context, row, Form.VIEW)
    assert view.getpixel((20, 300)) == pytest.approx(colour, abs=6)


@pytest.mark.parametrize(
    "content", [photos.pdf(), b"%PDF-1.7\n" + bytes(2000) + b"\n%%EOF"], ids=["no page", "nothing"]
)
async def test_a_pdf_that_cannot_be_drawn_is_given_up_and_stays(office, context, content):
    row = await submitted(office, context, content, Kind.DOCUMENT)
    await Relay(context).drain()
    assert await states(row.id) == {DerivationState.FAILED}
    assert await context.store.exists(evidence.address(row.zone_id, row.sha256 or ""))


@pytest.mark.parametrize("size", [(14_400, 100), (3, 2), (2_000_000, 2_000_000)])
async def test_a_page_of_any_size_is_drawn_as_large_as_others(size):
    drawn = await pictures.draw(photos.pdf_page(*size), PDF, "ZL")
    assert max(Image.open(io.BytesIO(drawn.view)).size) == 1600


async def test_the_caption_is_number_time_and_units_code(office, context):
    row = await submitted(office, context, photos.jpeg())
    drawing = await evidence.begin_drawing(row.zone_id, row.id)
    assert drawing
    number, day, hour, unit = drawing.caption.split()
    assert number.startswith("ZL-RW-")
    assert (len(day), len(hour), unit) == (10, 5, "cz")


async def test_drawing_again_changes_nothing(office, context):
    row = await submitted(office, context, photos.jpeg())
    await Relay(context).drain()
    first = await evidence.picture_of(row, Form.VIEW)
    await derive(context, row.zone_id, {"evidence_id": str(row.id)})
    again = await evidence.picture_of(row, Form.VIEW)
    assert (again.sha256, again.attempts) == (first.sha256, 1)


async def test_a_damaged_photo_is_given_up_and_its_original_stays(office, context):
    row = await submitted(office, context, photos.jpeg(2000, 1500)[:6000])
    await Relay(context).drain()
    assert await states(row.id) == {DerivationState.FAILED}
    assert await context.store.exists(evidence.address(row.zone_id, row.sha256 or ""))


async def test_a_photo_that_takes_its_worker_down_is_given_up_in_the_end(office, context):
    row = await submitted(office, context, photos.jpeg())
    for _ in range(3):
        assert await evidence.begin_drawing(row.zone_id, row.id)
    assert await evidence.begin_drawing(row.zone_id, row.id) is None
    assert await states(row.id) == {DerivationState.FAILED}


async def test_of_several_pictures_in_one_the_first_is_drawn():
    drawn = await pictures.draw(photos.several_in_one(), JPEG, "ZL")
    assert Image.open(io.BytesIO(drawn.view)).size == (640, 480)


async def test_too_many_pixels_are_never_decoded():
    with pytest.raises(pictures.Undrawable):
        await pictures.draw(photos.huge_png(), "image/png", "ZL")


async def test_what_takes_too_long_is_ended():
    with pytest.raises(TimeoutError):
        await pictures.draw(photos.png(8000, 8000), "image/png", "ZL", seconds=0.05)


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "LA", "I;16", "1"])
def test_every_kind_of_pixel_is_drawn(mode):
    out = io.BytesIO()
    Image.new(mode, (100, 50)).save(out, "PNG")
    made = pictures.drawn(out.getvalue(), "image/png", "ZL")
    assert Image.open(io.BytesIO(made.view)).size == (100, 50)


def test_a_killed_worker_leaves_no_drawing_process_behind(tmp_path):
    script = tmp_path / "draws.py"
    script.write_text(
        "import asyncio, multiprocessing, time\n"
        "from workers import pictures\n"
        "from tests import photos\n"
        "if __name__ == '__main__':\n"
        "    asyncio.run(pictures.draw(photos.jpeg(), 'image/jpeg', 'ZL'))\n"
        "    print(*(child.pid for child in multiprocessing.active_children()), flush=True)\n"
        "    time.sleep(60)\n"
    )
    told = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, env=told, text=True) as worker:
        assert worker.stdout
        children = [int(pid) for pid in worker.stdout.readline().split()]
        worker.send_signal(signal.SIGKILL)
    assert children
    deadline = time.monotonic() + 20
    while any(_runs(pid) for pid in children):
        assert time.monotonic() < deadline, "a drawing process outlived its worker"
        time.sleep(0.1)


def _runs(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
