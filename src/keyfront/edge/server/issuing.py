"""The certificates: an authority that may sign for few names and a limited time, and the certificates that it signs.

People add the authority to those that they trust, and its key is on a developer's disk. So the authority's own
certificate limits what a thief of the key could do: name constraints (RFC 5280, 4.2.1.10), no authority below it, only
server certificates, and a lifetime of 398 days, the longest that browsers accept for a server.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

AUTHORITY_LIFE: Final = timedelta(days=398)
SERVER_LIFE: Final = timedelta(days=30)
ENDS_SOON: Final = timedelta(days=14)
"""How long before its end an authority is replaced."""

_RENEWED_BEFORE: Final = timedelta(days=10)
"""How long before its end a server's certificate is replaced. Less than `ENDS_SOON`: it cannot outlive its issuer."""
_SLACK: Final = timedelta(hours=1)
"""Allows for clients with slow clocks."""
_NETWORKS: Final = (IPv4Network("127.0.0.0/8"), IPv6Network("::1/128"))
_NAME: Final = "localhost"
_CURVE: Final = ec.SECP256R1()
_BASIC: Final = x509.BasicConstraints(ca=True, path_length=0)


@dataclass(frozen=True)
class Issued:
    """A certificate and its private key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @classmethod
    def load(cls, certificate: bytes, key: bytes) -> "Issued":
        """Load both from PEM. Raises `ValueError` and `TypeError` for anything else, and for other kinds of key."""
        private = serialization.load_pem_private_key(key, None)
        if not isinstance(private, ec.EllipticCurvePrivateKey):
            raise ValueError("its key is not an elliptic curve key")
        return cls(x509.load_pem_x509_certificate(certificate), private)

    @property
    def certificate_pem(self) -> bytes:
        """The certificate in PEM."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        """The private key in PKCS#8, which granian reads."""
        return self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )

    @property
    def belong_together(self) -> bool:
        """Whether the key is the certificate's."""
        return self.key.public_key() == self.certificate.public_key()


def new_authority(names: Iterable[str], now: datetime) -> Issued:
    """Return a new authority for this machine (`localhost`, all names below it, its addresses) and for `names`.

    A name includes all names below it: X.509 has no other constraint. `*.shop.example` is `shop.example` here.
    """
    key = ec.generate_private_key(_CURVE)
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    name = _subject("local edge", f"keyfront {identifier.digest.hex()[:8]}")
    permitted = [*map(x509.DNSName, _subtrees(names)), *(x509.IPAddress(network) for network in _NETWORKS)]
    begins = now - _SLACK
    builder = (
        _builder(key, name, begins, begins + AUTHORITY_LIFE - timedelta(seconds=1))
        .issuer_name(name)
        .add_extension(_BASIC, critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.NameConstraints(permitted, None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(identifier, critical=False)
    )
    return Issued(builder.sign(key, hashes.SHA256()), key)


def issue(authority: Issued, names: Iterable[str], now: datetime) -> Issued:
    """Return a server's certificate for names and addresses. The authority's constraints are not checked."""
    key, issuer = ec.generate_private_key(_CURVE), authority.certificate
    builder = (
        _builder(key, _subject("local edge server"), now - _SLACK, min(now + SERVER_LIFE, issuer.not_valid_after_utc))
        .issuer_name(issuer.subject)
        .add_extension(x509.SubjectAlternativeName(map(_general_name, names)), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key()), critical=False)
    )
    return Issued(builder.sign(authority.key, hashes.SHA256()), key)


def why_unfit(authority: Issued, now: datetime) -> str | None:
    """Return why an authority must be replaced, as the rest of a sentence about it; `None` if it is fine."""
    certificate = authority.certificate
    ends = certificate.not_valid_after_utc
    if not authority.belong_together:
        return "had the key of another certificate"
    if ends - certificate.not_valid_before_utc > AUTHORITY_LIFE:
        return f"would have been valid until {ends:%Y-%m-%d}, longer than {AUTHORITY_LIFE.days} days"
    if not _is_bound(certificate):
        return "could sign for any name"
    if ends <= now:
        return f"ended on {ends:%Y-%m-%d}"
    if ends - now < ENDS_SOON:
        return f"ends on {ends:%Y-%m-%d}"
    return None


def may_sign(authority: Issued, name: str) -> bool:
    """Return whether the authority's constraints permit the name or address."""
    general, permitted = _general_name(name), _constraints(authority.certificate).permitted_subtrees or []
    if isinstance(general, x509.IPAddress):
        networks = [each.value for each in permitted if isinstance(each, x509.IPAddress)]
        return any(isinstance(network, IPv4Network | IPv6Network) and general.value in network for network in networks)
    return any(_is_below(general.value, each) for each in permitted_names(authority))


def permitted_names(authority: Issued) -> frozenset[str]:
    """Return the names that an authority may sign for, with all names below them."""
    permitted = _constraints(authority.certificate).permitted_subtrees or []
    return frozenset(each.value for each in permitted if isinstance(each, x509.DNSName))


def serves(issued: Issued, authority: Issued, names: Iterable[str], now: datetime) -> bool:
    """Return whether the authority signed a server's certificate, and it has every name and does not end soon."""
    certificate = issued.certificate
    try:
        certificate.verify_directly_issued_by(authority.certificate)
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, TypeError, x509.ExtensionNotFound, InvalidSignature):
        return False
    known = {*found.get_values_for_type(x509.DNSName), *map(str, found.get_values_for_type(x509.IPAddress))}
    lasts = certificate.not_valid_after_utc - now > _RENEWED_BEFORE
    return lasts and set(names) <= known and issued.belong_together


def is_too_wide(name: str) -> bool:
    """Return whether an authority for `name` could sign for a whole top-level domain, as for `*.com`."""
    return "." not in name.removeprefix("*.") and name.removeprefix("*.") != _NAME


def _is_bound(certificate: x509.Certificate) -> bool:
    extensions = certificate.extensions
    try:
        basic = extensions.get_extension_for_class(x509.BasicConstraints)
        usage = extensions.get_extension_for_class(x509.KeyUsage)
        constraints = extensions.get_extension_for_class(x509.NameConstraints)
    except (x509.ExtensionNotFound, ValueError):
        return False
    permitted = constraints.value.permitted_subtrees or []
    networks = {each.value for each in permitted if isinstance(each, x509.IPAddress)}
    names = [each.value for each in permitted if isinstance(each, x509.DNSName)]
    return (
        basic.critical
        and basic.value == _BASIC
        and usage.critical
        and usage.value == _usage(signs_certificates=True)
        and constraints.critical
        and networks == set(_NETWORKS)
        and _NAME in names
        and not any(map(is_too_wide, names))
    )


def _constraints(certificate: x509.Certificate) -> x509.NameConstraints:
    return certificate.extensions.get_extension_for_class(x509.NameConstraints).value


def _subtrees(names: Iterable[str]) -> list[str]:
    """Return the fewest names that include `names` and this machine's."""
    wanted = {
        _NAME,
        *(name.removeprefix("*.") for name in names if not isinstance(_general_name(name), x509.IPAddress)),
    }
    return sorted(each for each in wanted if not any(_is_below(each, other) for other in wanted - {each}))


def _is_below(name: str, subtree: str) -> bool:
    return f".{name}".endswith(f".{subtree}")


def _general_name(name: str) -> x509.DNSName | x509.IPAddress:
    address = _address(name)
    return x509.DNSName(name) if address is None else x509.IPAddress(address)


def _address(name: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(name)
    except ValueError:
        return None


def _builder(
    key: ec.EllipticCurvePrivateKey, subject: x509.Name, begins: datetime, ends: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends)
    )


def _subject(unit: str, name: str | None = None) -> x509.Name:
    parts = [(NameOID.ORGANIZATION_NAME, "keyfront"), (NameOID.ORGANIZATIONAL_UNIT_NAME, unit)]
    parts += [(NameOID.COMMON_NAME, name)] if name else []
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in parts])


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    """Return the key usage: only certificates for an authority, only handshakes for a server."""
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
