"""Settings from environment variables: what counts, and which variable an error names."""

import subprocess
import sys
import warnings
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc.jwk import ECKey, OKPKey, RSAKey

from keyfront import SigningKey, SigningWarning
from keyfront.backend import Settings, TokenSettings
from keyfront.errors import InputError, PolicyError

NEEDED = {"CLOUDFRONT_DOMAIN": "d111111abcdef8.cloudfront.net", "PRIVATE_KEY_PARAMETER": "/shop/key"}
TOKENS = {"JWT_ISSUER": "https://login.example.com/", "JWT_AUDIENCE": "shop"}
JWKS = {**NEEDED, **TOKENS, "JWKS_URL": "https://login.example.com/jwks.json"}
MARKER = "MARKERsecretMARKERsecretMARKERsecret"


def pem(key: Any) -> str:
    return str(key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode())


def test_two_variables_are_needed_and_the_rest_has_defaults() -> None:
    settings = Settings.from_environment(NEEDED)
    assert settings.base_url == "https://d111111abcdef8.cloudfront.net"
    assert settings.signer == "ssm:/shop/key"
    assert settings.key_pair_id is None
    assert settings.link_seconds == 60
    assert settings.database_url == "sqlite:///keyfront.db"
    assert settings.tokens is None


def test_every_variable_is_read() -> None:
    settings = Settings.from_environment(
        {
            **JWKS,
            "KEYPAIR_ID": " K2JCJMDEHXQW5F ",
            "LINK_SECONDS": "300",
            "DATABASE_URL": "postgres://shop@db.example/shop",
            "JWT_AUDIENCE": "shop, api ,",
            "JWT_ALGORITHMS": "ES256, RS256",
            "LINK_REUSE": "area",
            "CHECK_KEY": "True",
        }
    )
    assert settings.link_reuse == "area"
    assert settings.check_key is True
    assert settings.key_pair_id == "K2JCJMDEHXQW5F"
    assert settings.link_seconds == 300
    assert settings.database_url == "postgresql+psycopg://shop@db.example/shop"
    assert settings.tokens is not None
    assert settings.tokens.audiences == ("shop", "api")
    assert settings.tokens.algorithms == ("ES256", "RS256")
    assert settings.tokens.jwks_url == "https://login.example.com/jwks.json"


def test_the_process_environment_is_read_when_none_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in NEEDED.items():
        monkeypatch.setenv(name, value)
    assert Settings.from_environment().signer == "ssm:/shop/key"


@pytest.mark.parametrize(
    ("domain", "url"),
    [
        ("d1.cloudfront.net", "https://d1.cloudfront.net"),
        ("D1.CloudFront.net", "https://d1.cloudfront.net"),
        ("https://d1.cloudfront.net/", "https://d1.cloudfront.net"),
        ("http://localhost:10001", "http://localhost:10001"),
        ("e1.cloudfront.localhost:8443", "https://e1.cloudfront.localhost:8443"),
        ("https://media.example.com:443", "https://media.example.com"),
    ],
)
def test_a_domain_may_come_with_scheme_and_port(domain: str, url: str) -> None:
    assert Settings.from_environment({**NEEDED, "CLOUDFRONT_DOMAIN": domain}).base_url == url


RSA_PEM = pem(rsa.generate_private_key(65537, 2048).public_key())
SMALL_RSA_PEM = pem(rsa.generate_private_key(65537, 1024).public_key())
WRONG: list[tuple[dict[str, str], str]] = [
    ({"PRIVATE_KEY_PARAMETER": "/p"}, "CLOUDFRONT_DOMAIN is not set"),
    ({**NEEDED, "CLOUDFRONT_DOMAIN": "   "}, "CLOUDFRONT_DOMAIN is not set"),
    ({"CLOUDFRONT_DOMAIN": "d1.cloudfront.net"}, "SIGNER is not set: give where the signing key is"),
    ({**NEEDED, "CLOUDFRONT_DOMAIN": "https://d1.cloudfront.net/files"}, "CLOUDFRONT_DOMAIN .* give the host alone"),
    ({**NEEDED, "CLOUDFRONT_DOMAIN": "d1.cloudfront.net?x=1"}, "CLOUDFRONT_DOMAIN .* give the host alone"),
    ({**NEEDED, "CLOUDFRONT_DOMAIN": "ftp://d1.cloudfront.net"}, "CLOUDFRONT_DOMAIN is not a domain"),
    ({**NEEDED, "CLOUDFRONT_DOMAIN": "https://user:pw@d1.cloudfront.net"}, "CLOUDFRONT_DOMAIN is not a domain"),
    ({**NEEDED, "CLOUDFRONT_DOMAIN": "d1 .net"}, "CLOUDFRONT_DOMAIN is not a domain"),
    ({**NEEDED, "CLOUDFRONT_DOMAIN": "localhost:99999"}, "CLOUDFRONT_DOMAIN .* port"),
    ({**NEEDED, "CLOUDFRONT_DOMAIN": "shop.s3.eu-central-1.amazonaws.com"}, "CLOUDFRONT_DOMAIN is the bucket"),
    ({**NEEDED, "CLOUDFRONT_DOMAIN": "s3.amazonaws.com"}, "CLOUDFRONT_DOMAIN is the bucket"),
    ({**NEEDED, "SIGNER": "ssm:/shop/key"}, "SIGNER and PRIVATE_KEY_PARAMETER both name"),
    ({"CLOUDFRONT_DOMAIN": "d1.cloudfront.net", "SIGNER": "/shop/key"}, "the signer's address begins with"),
    ({"CLOUDFRONT_DOMAIN": "d1.cloudfront.net", "SIGNER": "kms:alias/shop"}, "give its id as well"),
    ({**NEEDED, "KEYPAIR_ID": "E1ABCDEFGHIJKL"}, "'E1ABCDEFGHIJKL', which looks like the id of a distribution"),
    ({**NEEDED, "KEYPAIR_ID": "b3ee3859-7e14-4235-abdb-195ff195395c"}, "looks like the id of a key group"),
    ({**NEEDED, "KEYPAIR_ID": "AKIAIOSFODNN7EXAMPLE"}, "IAM access key"),
    ({**NEEDED, "LINK_REUSE": "folder"}, "LINK_REUSE is 'folder': write file"),
    ({**NEEDED, "LINK_REUSE": "file", "LINK_SECONDS": "9"}, "LINK_SECONDS is 9, and with LINK_REUSE"),
    ({**NEEDED, "CHECK_KEY": "1"}, "CHECK_KEY is '1': write true or false"),
    ({**NEEDED, "LINK_SECONDS": "soon"}, "LINK_SECONDS is 'soon'"),
    ({**NEEDED, "LINK_SECONDS": "0"}, "LINK_SECONDS is 0"),
    ({**NEEDED, "LINK_SECONDS": "-5"}, "LINK_SECONDS is '-5'"),
    ({**NEEDED, "KEY_SECONDS": "604801"}, "KEY_SECONDS is 604801"),
    ({**NEEDED, "WAIT_SECONDS": "0"}, "WAIT_SECONDS is 0: give whole seconds from 1 to 60"),
    ({**NEEDED, "WAIT_SECONDS": "61"}, "WAIT_SECONDS is 61: give whole seconds from 1 to 60"),
    ({**NEEDED, "MAX_LIFETIME_SECONDS": "0"}, "MAX_LIFETIME_SECONDS is 0"),
    ({**NEEDED, "MAX_LIFETIME_SECONDS": "7d"}, "MAX_LIFETIME_SECONDS is '7d'"),
    ({**NEEDED, "LINK_SECONDS": "7200", "MAX_LIFETIME_SECONDS": "3600"}, "LINK_SECONDS is 7200, but MAX_LIFETIME"),
    ({**NEEDED, "COOKIE_SECONDS": "7200", "MAX_LIFETIME_SECONDS": "3600"}, "COOKIE_SECONDS is 7200, but MAX_LIFE"),
    ({**NEEDED, "DATABASE_URL": f"mysql://u:{MARKER}@h/d"}, "DATABASE_URL names 'mysql'"),
    ({**NEEDED, "DATABASE_URL": f"postgresql+asyncpg://u:{MARKER}@h/d"}, r"DATABASE_URL names 'postgresql\+asyncpg'"),
    ({**NEEDED, "DATABASE_URL": MARKER}, "DATABASE_URL is not a database URL"),
    ({**NEEDED, "DATABASE_URL": "sqlite://"}, "DATABASE_URL is a database in memory"),
    ({**NEEDED, "DATABASE_URL": "sqlite:///:memory:"}, "DATABASE_URL is a database in memory"),
    ({**NEEDED, "DATABASE_URL": "sqlite:///file:x?mode=memory&uri=true"}, "DATABASE_URL is a database in memory"),
    ({**NEEDED, **TOKENS}, "set exactly one"),
    ({**JWKS, "JWT_SECRET": MARKER}, "set exactly one"),
    ({**JWKS, "JWT_KEY": RSA_PEM}, "set exactly one"),
    ({**NEEDED, "JWKS_URL": JWKS["JWKS_URL"]}, "JWT_ISSUER and JWT_AUDIENCE are both needed"),
    ({**JWKS, "JWT_AUDIENCE": " , "}, "JWT_ISSUER and JWT_AUDIENCE are both needed"),
    ({**JWKS, "JWKS_URL": "http://login.example.com/jwks.json"}, "over plain http an attacker"),
    ({**JWKS, "JWKS_URL": "http://localhost.example.com/"}, "over plain http an attacker"),
    ({**JWKS, "JWKS_URL": "file:///etc/passwd"}, "JWKS_URL is 'file:///etc/passwd'"),
    ({**JWKS, "JWKS_URL": f"https://u:{MARKER}@h/"}, "JWKS_URL contains a user name or password"),
    ({**JWKS, "JWKS_URL": "https://[::1"}, "JWKS_URL is not a URL"),
    ({**JWKS, "JWT_ALGORITHMS": "none"}, "JWT_ALGORITHMS names 'none'"),
    ({**JWKS, "JWT_ALGORITHMS": "RS256,HS256"}, "JWT_ALGORITHMS names 'HS256'"),
    ({**NEEDED, **TOKENS, "JWT_KEY": RSA_PEM, "JWT_ALGORITHMS": "ES256"}, "JWT_ALGORITHMS names 'ES256'"),
    ({**NEEDED, **TOKENS, "JWT_SECRET": MARKER, "JWT_ALGORITHMS": "RS256"}, "JWT_ALGORITHMS names 'RS256'"),
    ({**NEEDED, **TOKENS, "JWT_SECRET": "MARKER"}, "JWT_SECRET has 6 bytes, but needs at least 32"),
    ({**NEEDED, **TOKENS, "JWT_SECRET": RSA_PEM}, "JWT_SECRET looks like a public key"),
    ({**NEEDED, **TOKENS, "JWT_SECRET": "".join(RSA_PEM.splitlines()[1:-1])}, "JWT_SECRET looks like a public key"),
    ({**NEEDED, **TOKENS, "JWT_SECRET": '{"kty": "RSA", "n": "…", "e": "AQAB"}'}, "JWT_SECRET looks like a public key"),
    ({**NEEDED, **TOKENS, "JWT_SECRET": "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABgQC"}, "JWT_SECRET looks like"),
    ({**NEEDED, **TOKENS, "JWT_KEY": MARKER}, "JWT_KEY is not a public key in PEM"),
    ({**NEEDED, **TOKENS, "JWT_KEY": RSA_PEM.replace("M", "%")}, "JWT_KEY is a damaged PEM"),
    ({**NEEDED, **TOKENS, "JWT_KEY": SMALL_RSA_PEM}, "JWT_KEY is of an unsupported kind: give RSA of 2048 bits"),
    (
        {**NEEDED, **TOKENS, "JWT_KEY": pem(ec.generate_private_key(ec.SECP256K1()).public_key())},
        "JWT_KEY is of an unsupported kind",
    ),
    (
        {**NEEDED, **TOKENS, "JWT_KEY": RSAKey.generate_key(2048).as_pem(private=True).decode()},
        "JWT_KEY is a private key",
    ),
]


@pytest.mark.parametrize(("environment", "message"), WRONG)
def test_what_is_missing_or_wrong_is_named_without_its_secret(environment: dict[str, str], message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        Settings.from_environment(environment)
    assert MARKER not in str(caught.value)


@pytest.mark.parametrize(
    ("key", "algorithms"),
    [
        (RSAKey.generate_key(2048), ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")),
        (ECKey.generate_key("P-256"), ("ES256",)),
        (ECKey.generate_key("P-521"), ("ES512",)),
        (OKPKey.generate_key("Ed25519"), ("Ed25519", "EdDSA")),
    ],
)
def test_the_algorithms_follow_from_the_key(key: RSAKey | ECKey | OKPKey, algorithms: tuple[str, ...]) -> None:
    public = key.as_pem(private=False).decode()
    assert TokenSettings("i", ("a",), public_key=public).algorithms == algorithms


def test_a_secret_allows_hs256_alone_and_a_key_set_no_secret() -> None:
    assert TokenSettings("i", ("a",), secret=MARKER).algorithms == ("HS256",)
    by_key_set = TokenSettings("i", ("a",), jwks_url="https://login.example.com/").algorithms
    assert not [name for name in by_key_set if name.startswith(("HS", "none"))]


def test_a_repr_shows_no_secret() -> None:
    settings = Settings.from_environment(
        {
            **NEEDED,
            **TOKENS,
            "JWT_SECRET": MARKER,
            "DATABASE_URL": f"postgresql://u:{MARKER}@h/d",
        }
    )
    assert MARKER not in repr(settings)


def test_a_server_that_starts_without_settings_prints_one_line() -> None:
    program = "from keyfront.backend import from_environment; from_environment()"
    done = subprocess.run([sys.executable, "-c", program], env={}, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == "keyfront: CLOUDFRONT_DOMAIN is not set: give the distribution's domain, d….cloudfront.net\n"


def test_links_over_seven_days_are_warned_of_once_unless_that_is_meant(tmp_path: Path) -> None:
    key = SigningKey.generate("ecdsa")
    private, _ = key.write(tmp_path)
    month = {
        "CLOUDFRONT_DOMAIN": "d1.cloudfront.net",
        "SIGNER": f"file:{private}",
        "KEYPAIR_ID": "K1",
        "LINK_SECONDS": "2592000",
    }
    with pytest.warns(SigningWarning, match=r"lives for 30 days.*\[long-lived\]"):
        settings = Settings.from_environment(month)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        meant = Settings.from_environment({**month, "MAX_LIFETIME_SECONDS": "2592000"})
        for each in (settings, meant):
            signer = each.open_keystore(check=False).signer()
            assert signer.sign_url("https://d1.cloudfront.net/a", expires=timedelta(days=30))
            with pytest.raises(PolicyError, match="long-lived"):
                signer.sign_url("https://d1.cloudfront.net/a", expires=timedelta(days=31))
