"""A photo with a C2PA manifest, signed by a maker of cameras that exists for one test."""

import io
import json
from datetime import UTC, datetime, timedelta

import c2pa
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

SOURCES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
USES = (
    *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement"),
    *("key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
)


def vouched(photo: bytes, *, maker: str = "A camera maker", source: str = "digitalCapture") -> bytes:
    """The JPEG with a manifest that says what kind of `source` it has."""
    made = {"action": "c2pa.created", "digitalSourceType": SOURCES + source}
    manifest = {
        "claim_generator_info": [{"name": "test", "version": "1"}],
        "assertions": [{"label": "c2pa.actions", "data": {"actions": [made]}}],
    }
    chain, key = _certified(maker)
    signer = c2pa.Signer.from_info(c2pa.C2paSignerInfo(alg=b"es256", sign_cert=chain, private_key=key, ta_url=None))
    signed = io.BytesIO()
    c2pa.Builder(json.dumps(manifest)).sign(signer, "image/jpeg", io.BytesIO(photo), signed)
    return signed.getvalue()


def _certified(maker: str) -> tuple[bytes, bytes]:
    authority, own = generate_private_key(SECP256R1()), generate_private_key(SECP256R1())
    root = _certificate("An authority", authority, "An authority", authority, "key_cert_sign")
    leaf = _certificate(maker, own, "An authority", authority, "digital_signature")
    key = own.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return leaf.public_bytes(Encoding.PEM) + root.public_bytes(Encoding.PEM), key


def _certificate(
    name: str, key: EllipticCurvePrivateKey, issuer: str, authority: EllipticCurvePrivateKey, use: str
) -> x509.Certificate:
    is_root = key is authority
    builder = (
        x509.CertificateBuilder(_name(issuer), _name(name), key.public_key(), x509.random_serial_number())
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=30))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.public_key()), critical=False)
        .add_extension(x509.BasicConstraints(ca=is_root, path_length=None), critical=True)
        .add_extension(x509.KeyUsage(**{each: each == use for each in USES}), critical=True)
    )
    if not is_root:
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False)
    return builder.sign(authority, hashes.SHA256())


def _name(organization: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization)])
