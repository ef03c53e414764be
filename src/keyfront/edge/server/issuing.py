"""The certificates themselves: an authority that may sign for a few names and not for long, and what it signs.

People put the authority among those that they trust, and its key lies on a developer's disk. So what a thief could do
with the key is bound in the authority's own certificate: name constraints (RFC 5280, 4.2.1.10), no authority below it,
servers' certificates alone, and a life of 398 days, the longest that browsers take of a server's.
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
"""An authority is replaced so long before its end."""

_RENEWED_BEFORE: Final = timedelta(days=10)
"""A server's certificate is replaced so long before its end; less than `ENDS_SOON`, as it cannot outlive its issuer."""
_SLACK: Final = timedelta(hours=1)
"""For clocks of other programs that are a little slow."""
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
        """From PEM. Raises `ValueError` and `TypeError` for anything else, and for keys of another kind."""
        private = serialization.load_pem_private_key(key, None)
        if not isinstance(private, ec.EllipticCurvePrivateKey):
            raise ValueError("its key is not an elliptic curve's")
        return cls(x509.load_pem_x509_certificate(certificate), private)

    @property
    def certificate_pem(self) -> bytes:
        """The certificate alone."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        """The private key in PKCS#8, which is what the server under us reads."""
        return self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )

    @property
    def belong_together(self) -> bool:
        """Whether the key is the certificate's."""
        return self.key.public_key() == self.certificate.public_key()


def new_authority(names: Iterable[str], now: datetime) -> Issued:
    """An authority that may sign for this machine (`localhost`, all below it, its addresses) and for `names`.

    With a name come all names below it: X.509 knows no other constraint. `*.shop.example` is `shop.example` here.
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
    """A server's certificate for names and addresses, signed whatever the authority may sign for."""
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
    """Why an authority has to be replaced, as the rest of a sentence about it; `None` where it need not be."""
    certificate = authority.certificate
    ends = certificate.not_valid_after_utc
    if not authority.belong_together:
        return "had the key of another"
    if ends - certificate.not_valid_before_utc > AUTHORITY_LIFE:
        return f"would have been valid until {ends:%Y-%m-%d}, and {AUTHORITY_LIFE.days} days are the most"
    if not _is_bound(certificate):
        return "could sign for any name"
    if ends <= now:
        return f"ended on {ends:%Y-%m-%d}"
    if ends - now < ENDS_SOON:
        return f"ends on {ends:%Y-%m-%d}"
    return None


def may_sign(authority: Issued, name: str) -> bool:
    """Whether the authority's constraints permit the name or address."""
    general, permitted = _general_name(name), _constraints(authority.certificate).permitted_subtrees or []
    if isinstance(general, x509.IPAddress):
        networks = [each.value for each in permitted if isinstance(each, x509.IPAddress)]
        return any(isinstance(network, IPv4Network | IPv6Network) and general.value in network for network in networks)
    return any(_is_below(general.value, each) for each in permitted_names(authority))


def permitted_names(authority: Issued) -> frozenset[str]:
    """The names that an authority may sign for, as may be all below them."""
    permitted = _constraints(authority.certificate).permitted_subtrees or []
    return frozenset(each.value for each in permitted if isinstance(each, x509.DNSName))


def serves(issued: Issued, authority: Issued, names: Iterable[str], now: datetime) -> bool:
    """Whether a server's certificate is the authority's, has every name, and lasts for some time."""
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
    """Whether an authority for `name` could sign for a whole top-level domain, as it would for `*.com`."""
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
    """The fewest names that `names` and this machine's are, or are below."""
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
    """An authority signs certificates and nothing else; a server signs its half of a handshake."""
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
