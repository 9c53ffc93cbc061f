"""Objects sealed at rest: nothing readable is kept, nothing altered opens, and keys turn without touching an object."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateways.store import Damaged, KeyMissing, Keys, Store, Unreadable, WrongKeys, made
from gateways.store.keys import HEADER, MAGIC
from gateways.store.sealing import CHUNK, SEALED, Opening, Sealing, Sm4Gcm, aes_256_gcm, sealed_size
from tests.s3 import S3

CONTENT = b"what the inspector saw " * 12_000
CIPHERS = ("aes-256-gcm", "sm4-gcm")
SIZES = (0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK + 5)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "objects"


def opened(folder: Path, *masters: str, cipher: str = "aes-256-gcm") -> Store:
    return Store.open(f"file://{folder}", keys=Keys.read("\n".join(masters), cipher))


async def sent(content: bytes, piece: int = 70_001):
    for at in range(0, len(content), piece):
        yield content[at : at + piece]


@pytest.mark.parametrize("cipher", CIPHERS)
@pytest.mark.parametrize("size", SIZES)
async def test_every_size_comes_back_and_takes_as_much_as_is_said(folder, size, cipher):
    store, content = opened(folder, made(), cipher=cipher), os.urandom(size)
    await store.put("z/whole", content)
    await store.put("z/sent", sent(content))
    for name in ("whole", "sent"):
        assert await store.read(f"z/{name}") == content
        assert (folder / "z" / name).stat().st_size == HEADER.size + sealed_size(size)
        with store.reader(f"z/{name}", size) as file:
            assert file.read() == content


@given(st.lists(st.binary(max_size=3 * CHUNK), max_size=4), st.integers(1, 2 * SEALED))
def test_pieces_of_any_size_are_sealed_and_opened_alike(pieces, step):
    aead = aes_256_gcm(bytes(32))
    working = Sealing(aead)
    sealed = b"".join([working.add(piece) for piece in pieces]) + working.end()
    opening = Opening(aead)
    content = b"".join([opening.add(sealed[at : at + step]) for at in range(0, len(sealed), step)]) + opening.end()
    assert content == b"".join(pieces)


def test_sm4_gcm_is_that_of_rfc_8998():
    key, nonce = bytes.fromhex("0123456789abcdeffedcba9876543210"), bytes.fromhex("00001234567800000000abcd")
    said = bytes.fromhex("feedfacedeadbeeffeedfacedeadbeefabaddad2")
    words = "".join(digit * 16 for digit in "abcdefea")
    kept = (
        "17f399f08c67d5ee19d0dc9969c4bb7d5fd46fd3756489069157b282bb200735"
        "d82710ca5c22f0ccfa7cbf93d496ac15a56834cbcf98c397b4024a2691233b8d"
        "83de3541e4c2b58177e065a9bf7b62ec"
    )
    assert Sm4Gcm(key).encrypt(nonce, bytes.fromhex(words), said).hex() == kept
    assert Sm4Gcm(key).decrypt(nonce, bytes.fromhex(kept), said).hex() == words


async def test_nothing_readable_is_kept(folder):
    store = opened(folder, made())
    await store.put("z/a", CONTENT)
    await store.put("z/b", sent(CONTENT))
    for path in (folder / "z").iterdir():
        assert b"inspector" not in path.read_bytes()


async def test_two_objects_of_the_same_content_have_nothing_in_common(folder):
    store = opened(folder, made())
    await store.put("z/a", CONTENT)
    await store.put("z/b", CONTENT)
    first, second = ((folder / "z" / name).read_bytes()[len(MAGIC) + 1 :] for name in "ab")
    assert first[:16] != second[:16]
    assert first[HEADER.size : HEADER.size + 64] != second[HEADER.size : HEADER.size + 64]


async def gives(store: Store, key: str, size: int) -> bytes:
    """What is given out of an object that cannot be read, by both ways of reading."""
    out = b""
    with pytest.raises(Unreadable):
        async for chunk in store.get(key):
            out += chunk
    with pytest.raises(Unreadable), store.reader(key, size) as file:
        file.read()
    return out


def chunks(kept: bytes) -> list[bytes]:
    return [kept[at : at + SEALED] for at in range(HEADER.size, len(kept), SEALED)]


ALTERED = {
    "the cipher": lambda kept: kept[:8] + b"\x02" + kept[9:],
    "an unknown cipher": lambda kept: kept[:8] + b"\x09" + kept[9:],
    "the object's id": lambda kept: kept[:9] + bytes(16) + kept[25:],
    "the wrapped key": lambda kept: kept[:50] + bytes(4) + kept[54:],
    "a byte of the first chunk": lambda kept: kept[:200] + bytes([kept[200] ^ 1]) + kept[201:],
    "a byte of the last chunk": lambda kept: kept[:-40] + bytes([kept[-40] ^ 1]) + kept[-39:],
    "the last byte cut off": lambda kept: kept[:-1],
    "the last chunk cut off": lambda kept: kept[: HEADER.size] + b"".join(chunks(kept)[:-1]),
    "all chunks cut off": lambda kept: kept[: HEADER.size],
    "the header cut off": lambda kept: kept[: HEADER.size - 1],
    "a chunk left out": lambda kept: kept[: HEADER.size] + b"".join([*chunks(kept)[:1], *chunks(kept)[2:]]),
    "two chunks exchanged": lambda kept: (
        kept[: HEADER.size] + b"".join([chunks(kept)[1], chunks(kept)[0], *chunks(kept)[2:]])
    ),
    "a chunk repeated": lambda kept: kept[: HEADER.size] + b"".join([*chunks(kept)[:2], *chunks(kept)[1:]]),
    "something appended": lambda kept: kept + bytes(100),
    "the last chunk repeated": lambda kept: kept + chunks(kept)[-1],
}


@pytest.mark.parametrize("harm", ALTERED)
async def test_what_was_altered_does_not_open_and_is_left_as_it_is(folder, harm):
    store = opened(folder, made())
    await store.put("z/a", CONTENT)
    path = folder / "z" / "a"
    path.write_bytes(ALTERED[harm](path.read_bytes()))
    before = path.read_bytes()
    out = await gives(store, "z/a", len(CONTENT))
    assert CONTENT.startswith(out)
    assert path.read_bytes() == before


async def test_chunks_of_another_object_do_not_open(folder):
    store = opened(folder, made())
    await store.put("z/a", CONTENT)
    await store.put("z/b", CONTENT)
    a, b = (folder / "z" / "a").read_bytes(), (folder / "z" / "b").read_bytes()
    (folder / "z" / "a").write_bytes(a[: HEADER.size] + b[HEADER.size :])
    assert await gives(store, "z/a", len(CONTENT)) == b""


async def test_without_the_key_it_is_said_which_and_nothing_is_destroyed(folder):
    right, wrong = made(), made()
    await opened(folder, right).put("z/a", CONTENT)
    for store in (opened(folder), opened(folder, wrong)):
        with pytest.raises(KeyMissing, match="ZHUOLUO_STORE_KEYS"):
            await store.read("z/a")
    with pytest.raises(KeyMissing, match=Keys.read(right).current):
        await opened(folder, wrong).read("z/a")
    assert await opened(folder, right).read("z/a") == CONTENT


async def test_what_was_kept_before_there_was_a_key_stays_readable(folder):
    await opened(folder).put("z/a", CONTENT)
    store = opened(folder, made())
    assert await store.read("z/a") == CONTENT
    with store.reader("z/a", len(CONTENT)) as file:
        assert file.read() == CONTENT


async def test_an_object_that_was_cut_off_is_damaged_sealed_or_not(folder):
    store = opened(folder)
    await store.put("z/a", CONTENT)
    for left in (CONTENT[:1000], b""):
        (folder / "z" / "a").write_bytes(left)
        with pytest.raises(Damaged), store.reader("z/a", len(CONTENT)) as file:
            file.read()


@pytest.mark.parametrize("wrong", ["word", "d29yZA==", f"{made()} x"], ids=["no base64", "too short", "one of two"])
def test_keys_that_are_none_are_refused_by_name(wrong):
    with pytest.raises(WrongKeys, match="ZHUOLUO_STORE_KEYS"):
        Keys.read(wrong)


# keys turn


@pytest.fixture(params=["disk", "s3"])
def place(request: pytest.FixtureRequest, folder: Path):
    """`place(masters…)`: the same store with these keys."""
    if request.param == "disk":
        return lambda *masters, **more: opened(folder, *masters, **more)
    s3: S3 = request.getfixturevalue("s3")
    bucket = s3.bucket()
    return lambda *masters, cipher="aes-256-gcm": Store.open(
        bucket.url, keys=Keys.read("\n".join(masters), cipher), **bucket.options
    )


async def test_after_rotation_the_old_key_may_go(place):
    old, new = made(), made()
    await place(old).put("z/a", CONTENT)
    both = place(new, old)
    assert await both.rewrap("z/a")
    assert not await both.rewrap("z/a")
    store = place(new)
    assert await store.read("z/a") == CONTENT
    with store.reader("z/a", len(CONTENT)) as file:
        assert file.read() == CONTENT
    assert await place(old).read("z/a") == CONTENT


async def test_keys_turn_again_and_the_cipher_too(place):
    first, second, third = made(), made(), made()
    await place(first).put("z/a", CONTENT)
    await place(second, first).rewrap("z/a")
    assert await place(third, second, cipher="sm4-gcm").rewrap("z/a")
    assert await place(third).read("z/a") == CONTENT


async def test_rotation_never_touches_the_object(folder):
    old, new = made(), made()
    await opened(folder, old).put("z/a", CONTENT)
    before = (folder / "z" / "a").read_bytes()
    await opened(folder, new, old).rewrap("z/a")
    assert (folder / "z" / "a").read_bytes() == before


async def test_there_is_nothing_to_turn_in_what_is_new_or_not_sealed(place):
    old, new = made(), made()
    store = place(new, old)
    await place().put("z/plain", CONTENT)
    await store.put("z/new", CONTENT)
    assert not await store.rewrap("z/plain")
    assert not await store.rewrap("z/new")


async def test_an_envelope_of_an_object_that_stood_there_before_opens_nothing_and_gives_way(place):
    old, new = made(), made()
    await place(old).put("z/a", b"first")
    await place(new, old).rewrap("z/a")
    await place(old).delete("z/a")
    await place(old).put("z/a", b"second")
    with pytest.raises(KeyMissing):
        await place(new).read("z/a")
    assert await place(new, old).rewrap("z/a")
    assert await place(new).read("z/a") == b"second"


async def test_without_the_old_key_nothing_is_turned_and_nothing_lost(place):
    old, new = made(), made()
    await place(old).put("z/a", CONTENT)
    with pytest.raises(KeyMissing):
        await place(new).rewrap("z/a")
    assert await place(old).read("z/a") == CONTENT
