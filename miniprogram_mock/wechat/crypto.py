"""Secure-mode message push: signature and AES envelope, written from the platform's published rules.

Kept apart from the product's own code on purpose: the two check each other over the wire.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import struct

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

BLOCK_BITS = 32 * 8
"""Padding goes to 32 bytes, not to AES's own 16."""


def signature(*parts: str) -> str:
    """SHA-1 of the sorted parts, in hexadecimal."""
    return hashlib.sha1("".join(sorted(parts)).encode(), usedforsecurity=False).hexdigest()


class Envelope:
    """Seals and opens messages between one account and its callback address."""

    def __init__(self, encoding_aes_key: str, appid: str) -> None:
        key = base64.b64decode(encoding_aes_key + "=")
        self._cipher = Cipher(algorithms.AES(key), modes.CBC(key[:16]))
        self._appid = appid.encode()

    def seal(self, message: bytes) -> str:
        """Base64 of the encrypted 16 random bytes, length, message and appid."""
        plain = secrets.token_bytes(16) + struct.pack(">I", len(message)) + message + self._appid
        padder, encryptor = PKCS7(BLOCK_BITS).padder(), self._cipher.encryptor()
        padded = padder.update(plain) + padder.finalize()
        return base64.b64encode(encryptor.update(padded) + encryptor.finalize()).decode()

    def open(self, sealed: str) -> bytes:
        """The message inside; raises ValueError when the padding or the appid is not ours."""
        decryptor, unpadder = self._cipher.decryptor(), PKCS7(BLOCK_BITS).unpadder()
        padded = decryptor.update(base64.b64decode(sealed)) + decryptor.finalize()
        plain = unpadder.update(padded) + unpadder.finalize()
        (length,) = struct.unpack(">I", plain[16:20])
        if plain[20 + length :] != self._appid:
            raise ValueError("sealed for another appid")
        return plain[20 : 20 + length]
