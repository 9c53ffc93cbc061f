"""Envelopes: each object has a key of its own, kept with it and wrapped under a master key that is never there.

An object begins with a header that holds its key's envelope. Rotation writes a newer envelope beside the object, under
`envelopes/<key>`, and never touches the object itself: it may be under retention, and is an original.
"""

import base64
import binascii
import os
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from gateways.store.faults import Damaged, KeyMissing
from gateways.store.sealing import NONCE, Aead, aes_256_gcm, sm4_gcm

MAGIC = b"\x89ZLSEAL\x01"
KEY = 32
HEADER = struct.Struct(f">{len(MAGIC)}sB16s8s{NONCE}s{KEY + 16}s")
"""Magic and version, cipher, the object's id, the master key's fingerprint, nonce, the wrapped key with its tag."""
BOUND = len(MAGIC) + 1 + 16
"""Bytes of the header that the envelope is bound to: what it is, which cipher, which object."""

CipherName = Literal["aes-256-gcm", "sm4-gcm"]


class WrongKeys(ValueError):
    """`ZHUOLUO_STORE_KEYS` or `ZHUOLUO_STORE_CIPHER` cannot be used; says why."""


@dataclass(frozen=True, slots=True)
class _Suite:
    """A cipher and the hash that goes with it. `slow`: a megabyte takes longer than the event loop should wait."""

    number: int
    aead: Callable[[bytes], Aead]
    digest: Callable[[], hashes.HashAlgorithm]
    slow: bool


SUITES: dict[CipherName, _Suite] = {
    "aes-256-gcm": _Suite(1, aes_256_gcm, hashes.SHA256, slow=False),
    "sm4-gcm": _Suite(2, sm4_gcm, hashes.SM3, slow=True),
}
BY_NUMBER = {suite.number: suite for suite in SUITES.values()}


@dataclass(frozen=True, slots=True)
class Opened:
    """An object's own key at work."""

    aead: Aead
    slow: bool


@dataclass(frozen=True, slots=True)
class Header:
    """What an object, or an envelope beside it, begins with."""

    bound: bytes
    suite: _Suite
    id: bytes
    fingerprint: bytes
    nonce: bytes
    wrapped: bytes

    @classmethod
    def read(cls, content: bytes) -> "Header | None":
        """None where this is not sealed. Raises Damaged for what only begins like it."""
        if not content.startswith(MAGIC):
            return None
        if len(content) < HEADER.size:
            raise Damaged("the header is cut off")
        _, suite, id_, *envelope = HEADER.unpack(content[: HEADER.size])
        if suite not in BY_NUMBER:
            raise Damaged(f"there is no cipher {suite}")
        return cls(bytes(content[:BOUND]), BY_NUMBER[suite], id_, *envelope)

    def __bytes__(self) -> bytes:
        return self.bound + self.fingerprint + self.nonce + self.wrapped


class Keys:
    """The master keys of an installation. The first one seals; every one opens."""

    def __init__(self, masters: list[bytes], cipher: CipherName = "aes-256-gcm") -> None:
        self._suite = SUITES[cipher]
        self._masters = {_derived(master, "fingerprint", 8): master for master in masters}
        self._current = next(iter(self._masters))
        try:
            self.fresh()
        except UnsupportedAlgorithm:
            raise WrongKeys(f"this machine's OpenSSL has no {cipher}") from None

    @classmethod
    def read(cls, text: str, cipher: CipherName = "aes-256-gcm") -> "Keys | None":
        """From `ZHUOLUO_STORE_KEYS`: keys as `made` writes them, by white space; None for none. Raises WrongKeys."""
        try:
            masters = [base64.b64decode(word, validate=True) for word in text.split()]
        except binascii.Error:
            masters = [b""]
        if any(len(master) != KEY for master in masters):
            raise WrongKeys("each of ZHUOLUO_STORE_KEYS is 32 bytes in base64, as `zhuoluo store key` prints one")
        return cls(masters, cipher) if masters else None

    @property
    def current(self) -> str:
        """The fingerprint (hex) of the key that seals."""
        return self._current.hex()

    def fresh(self) -> tuple[bytes, Opened]:
        """A new object's header, and its key at work."""
        key, bound = os.urandom(KEY), MAGIC + bytes([self._suite.number]) + os.urandom(16)
        return bytes(self._wrapped(key, bound, self._suite)), Opened(self._suite.aead(key), self._suite.slow)

    def holds(self, header: Header) -> bool:
        """Whether its master key is one of these."""
        return header.fingerprint in self._masters

    def is_current(self, header: Header) -> bool:
        """Whether it is wrapped under the key that seals."""
        return header.fingerprint == self._current

    def open(self, header: Header) -> Opened:
        """The object's key at work. Raises KeyMissing, Damaged."""
        return Opened(header.suite.aead(self._unwrapped(header)), header.suite.slow)

    def rewrapped(self, header: Header) -> bytes:
        """The same key's envelope under the key that seals. Raises KeyMissing, Damaged."""
        return bytes(self._wrapped(self._unwrapped(header), header.bound, header.suite))

    def _wrapped(self, key: bytes, bound: bytes, suite: _Suite) -> Header:
        nonce = os.urandom(NONCE)
        wrapped = self._wrapping(self._current, suite).encrypt(nonce, key, bound)
        return Header(bound, suite, bound[-16:], self._current, nonce, wrapped)

    def _unwrapped(self, header: Header) -> bytes:
        if not self.holds(header):
            raise KeyMissing(
                f"sealed under master key {header.fingerprint.hex()}, which ZHUOLUO_STORE_KEYS does not hold"
            )
        try:
            return self._wrapping(header.fingerprint, header.suite).decrypt(header.nonce, header.wrapped, header.bound)
        except InvalidTag:
            raise Damaged("the header does not open") from None

    def _wrapping(self, fingerprint: bytes, suite: _Suite) -> Aead:
        return suite.aead(_derived(self._masters[fingerprint], f"wrap {suite.number}", KEY, suite.digest))


def made() -> str:
    """A new master key, as `ZHUOLUO_STORE_KEYS` takes it."""
    return base64.b64encode(os.urandom(KEY)).decode()


def _derived(master: bytes, purpose: str, size: int, digest: Callable[[], Any] = hashes.SHA256) -> bytes:
    return HKDF(digest(), size, None, f"zhuoluo store {purpose}".encode()).derive(master)
