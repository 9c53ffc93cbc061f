"""One object's content sealed in chunks, each authenticated by itself, so that ranges are read without the rest.

The STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizár 2015) as `age` uses it: chunk `n` is encrypted under the
object's own key with a nonce that holds `n` and whether it is the last. Nothing can be altered, reordered, repeated,
dropped or cut off without a chunk that no longer opens. Of what was not authenticated nothing is ever given out.
"""

from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gateways.store.faults import Damaged

CHUNK = 64 * 1024
"""Bytes of content in a chunk."""
TAG = 16
SEALED = CHUNK + TAG
"""Bytes of a chunk as it is kept."""
NONCE = 12


class Aead(Protocol):
    """Authenticated encryption under one key."""

    def encrypt(self, nonce: bytes, data: bytes | memoryview, associated_data: bytes | None) -> bytes:
        """The ciphertext, its tag (16 bytes) behind it."""

    def decrypt(self, nonce: bytes, data: bytes | memoryview, associated_data: bytes | None) -> bytes:
        """The plaintext. Raises InvalidTag."""


class Sm4Gcm:
    """SM4 (GB/T 32907) in GCM (GB/T 36624) under a key of 16 bytes, with AESGCM's two methods."""

    def __init__(self, key: bytes) -> None:
        self._block = algorithms.SM4(key)

    def encrypt(self, nonce: bytes, data: bytes | memoryview, associated_data: bytes | None) -> bytes:
        """As Aead says."""
        working = Cipher(self._block, modes.GCM(nonce)).encryptor()
        working.authenticate_additional_data(associated_data or b"")
        return working.update(data) + working.finalize() + working.tag

    def decrypt(self, nonce: bytes, data: bytes | memoryview, associated_data: bytes | None) -> bytes:
        """As Aead says; nothing is returned before the tag was checked."""
        if len(data) < TAG:
            raise InvalidTag
        working = Cipher(self._block, modes.GCM(nonce, bytes(data[-TAG:]))).decryptor()
        working.authenticate_additional_data(associated_data or b"")
        return working.update(data[:-TAG]) + working.finalize()


def aes_256_gcm(key: bytes) -> Aead:
    """AES-256-GCM under the first 32 bytes of `key`."""
    return AESGCM(key[:32])


def sm4_gcm(key: bytes) -> Aead:
    """SM4-GCM under the first 16 bytes of `key`."""
    return Sm4Gcm(key[:16])


def sealed_size(size: int) -> int:
    """Bytes that the chunks of so many bytes take; of an empty object there is one chunk."""
    return size + TAG * (last_chunk(size) + 1)


def last_chunk(size: int) -> int:
    """The number of the last chunk of an object of `size` bytes, from 0."""
    return max(0, size - 1) // CHUNK


def open_chunk(aead: Aead, number: int, sealed: bytes | memoryview, *, last: bool) -> bytes:
    """The content of one chunk. Raises Damaged."""
    try:
        return aead.decrypt(_nonce(number, last=last), sealed, None)
    except InvalidTag:
        raise Damaged(f"chunk {number} does not open") from None


def _nonce(number: int, *, last: bool) -> bytes:
    return (number << 8 | last).to_bytes(NONCE, "big")


class Sealing:
    """Seals one object as its content arrives. What could be the last chunk is kept back."""

    def __init__(self, aead: Aead) -> None:
        self._aead, self._kept, self._number = aead, b"", 0

    def add(self, content: bytes) -> bytes:
        """The chunks that are certain now."""
        whole, self._kept = _cut(self._kept, content, CHUNK)
        return b"".join([self._seal(chunk, last=False) for chunk in whole])

    def end(self) -> bytes:
        """The last chunk."""
        return self._seal(self._kept, last=True)

    def _seal(self, chunk: bytes | memoryview, *, last: bool) -> bytes:
        self._number += 1
        return self._aead.encrypt(_nonce(self._number - 1, last=last), chunk, None)


class Opening:
    """Opens one object as its chunks arrive. Every method raises Damaged."""

    def __init__(self, aead: Aead) -> None:
        self._aead, self._kept, self._number = aead, b"", 0

    def add(self, sealed: bytes) -> bytes:
        """The content of the chunks that are whole and not the last."""
        whole, self._kept = _cut(self._kept, sealed, SEALED)
        return b"".join([self._open(chunk, last=False) for chunk in whole])

    def end(self) -> bytes:
        """The content of the last chunk."""
        return self._open(self._kept, last=True)

    def _open(self, chunk: bytes | memoryview, *, last: bool) -> bytes:
        self._number += 1
        return open_chunk(self._aead, self._number - 1, chunk, last=last)


def _cut(kept: bytes, more: bytes, size: int) -> tuple[list[bytes | memoryview], bytes]:
    """Pieces of `size` bytes, and what is left of both: 1 to `size` bytes, or nothing of nothing.

    Only where they meet is anything copied: a megabyte put together anew costs more than to seal it.
    """
    if len(kept) + len(more) <= size:
        return [], kept + more
    fill = size - len(kept)
    whole = fill + (len(more) - fill - 1) // size * size
    view = memoryview(more)
    return [kept + more[:fill], *(view[at : at + size] for at in range(fill, whole, size))], more[whole:]
