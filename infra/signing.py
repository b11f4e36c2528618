"""Who signs: a private key and its certificate, made once on this machine, or brought by an institution.

C2PA wants a certificate that an authority issued, not one that vouches for itself; so a machine without one makes an
authority of its own (its key is used once and thrown away) and a signer under it, both Ed25519. Others may check such
a signature, but only this machine calls the signer known, until they are given `authority.pem`.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from infra.files import no_space_told, published
from infra.places import state_folder
from manifests.errors import BadInput

KEY_VARIABLE = "REDUB_SIGNING_KEY"
CHAIN_VARIABLE = "REDUB_SIGNING_CERTIFICATES"

_YEARS = 20


@dataclass(frozen=True, slots=True)
class Signer:
    """A private key and its certificates, as PEM: the signer's first, then up to (and with) the authority's.

    `algorithm` is C2PA's name of it. `fingerprint` is the SHA-256 of the signer's certificate.
    """

    key: bytes
    chain: bytes
    algorithm: str
    fingerprint: str

    @property
    def authority(self) -> bytes:
        """The last certificate of the chain, PEM."""
        from cryptography import x509

        return _pem(x509.load_pem_x509_certificates(self.chain)[-1])


def load_signer() -> Signer:
    """This machine's signer, made at the first call; the one that the environment names where it names one.

    BadInput where the environment names only one of key and certificates, or files that are none, or do not fit.
    """
    key, chain = os.environ.get(KEY_VARIABLE), os.environ.get(CHAIN_VARIABLE)
    if bool(key) != bool(chain):
        raise BadInput(
            "a key and its certificates go together;",
            where=KEY_VARIABLE if key else CHAIN_VARIABLE,
            remedy=f"set both {KEY_VARIABLE} and {CHAIN_VARIABLE} (PEM files), or neither.",
        )
    if key and chain:
        return _read(Path(key).expanduser(), Path(chain).expanduser())
    folder = state_folder() / "signing"
    own_key, own_chain = folder / "key.pem", folder / "certificates.pem"
    if not own_chain.is_file():
        _make(folder)
    return _read(own_key, own_chain)


def known_authorities() -> bytes:
    """The authorities whose signers this machine knows, PEM; its own, where it has signed before, and the one set."""
    found = b""
    own = state_folder() / "signing" / "authority.pem"
    if own.is_file():
        found += own.read_bytes()
    chain = os.environ.get(CHAIN_VARIABLE)
    if chain and Path(chain).expanduser().is_file():
        found += Path(chain).expanduser().read_bytes()
    return found


def _read(key_file: Path, chain_file: Path) -> Signer:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

    try:
        key, chain = key_file.read_bytes(), chain_file.read_bytes()
        private = load_pem_private_key(key, password=None)
        certificates = x509.load_pem_x509_certificates(chain)
    except OSError as error:
        raise BadInput(f"cannot be read ({error.strerror});", where=str(error.filename)) from error
    except (ValueError, TypeError) as error:
        what = "the signing key or its certificates are no PEM without a password;"
        raise BadInput(what, where=f"{key_file}, {chain_file}") from error
    raw = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if private.public_key().public_bytes(*raw) != certificates[0].public_key().public_bytes(*raw):
        raise BadInput(
            "the first certificate is of another key;",
            where=str(chain_file),
            remedy=f"put the certificate of {key_file.name} first.",
        )
    return Signer(
        key=key,
        chain=chain,
        algorithm=_algorithm(private, str(key_file)),
        fingerprint=certificates[0].fingerprint(hashes.SHA256()).hex(),
    )


def _algorithm(private: object, where: str) -> str:
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    if isinstance(private, ed25519.Ed25519PrivateKey):
        return "ed25519"
    if isinstance(private, rsa.RSAPrivateKey):
        return "ps256"
    curves = {"secp256r1": "es256", "secp384r1": "es384", "secp521r1": "es512"}
    if isinstance(private, ec.EllipticCurvePrivateKey) and private.curve.name in curves:
        return curves[private.curve.name]
    raise BadInput("C2PA does not sign with such a key;", where=where, remedy="use Ed25519, P-256, P-384 or RSA.")


def _make(folder: Path) -> None:
    """A new authority and a signer under it. The chain is written last: it says that the rest is whole."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    authority_key, key = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    authority = _certificate("redub authority of this machine", authority_key, authority_key, ca=True)
    signer = _certificate("redub on this machine", key, authority_key, ca=False)
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with no_space_told(folder):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with published(folder / "key.pem") as draft:
        draft.touch(mode=0o600)
        draft.write_bytes(secret)
    for name, content in (("authority.pem", _pem(authority)), ("certificates.pem", _pem(signer) + _pem(authority))):
        with published(folder / name) as draft:
            draft.write_bytes(content)


def _certificate(name: str, key: object, authority_key: object, *, ca: bool) -> object:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    if not isinstance(key, Ed25519PrivateKey) or not isinstance(authority_key, Ed25519PrivateKey):
        raise TypeError("this machine's keys are Ed25519")

    def named(text: str) -> x509.Name:
        organisation = x509.NameAttribute(NameOID.ORGANIZATION_NAME, "redub")
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text), organisation])

    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(named(name))
        .issuer_name(named("redub authority of this machine"))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=365 * _YEARS))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=0 if ca else None), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=not ca,
                content_commitment=False,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                key_cert_sign=ca,
                crl_sign=ca,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    if not ca:
        # C2PA (section 14.5) accepts only certificates with a purpose; this is the one any authority may grant.
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False)
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key())
        builder = builder.add_extension(issuer, critical=False)
    return builder.sign(authority_key, None)


def _pem(certificate: object) -> bytes:
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

    if not isinstance(certificate, x509.Certificate):
        raise TypeError("not a certificate")
    return certificate.public_bytes(Encoding.PEM)
