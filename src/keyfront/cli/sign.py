"""`keyfront sign` and `keyfront sign-cookies`: sign URLs and cookies with a private key."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple, get_args

import typer

from keyfront.cli.options import AsJson, Expires, MaxLifetime, PassphraseFile, Starts, ViewerNetwork
from keyfront.cli.output import Json, show, show_json, warn
from keyfront.cli.query import as_strings, with_query
from keyfront.cli.signers import CheckKey, Hash, KeyId, PrivateKey, SignerAddress, open_signer
from keyfront.cli.times import moment, span
from keyfront.errors import InputError

if TYPE_CHECKING:
    from keyfront.core.policy import Moment
    from keyfront.core.signing import Signer


def sign(
    url: Annotated[
        str | None,
        typer.Argument(
            metavar="URL",
            help="The URL as viewers will request it, with the distribution's host name, not S3's. Without it, --json "
            "reads the options from standard input.",
        ),
    ] = None,
    expires: Annotated[str | None, *get_args(Expires)[1:]] = None,
    key_id: KeyId = None,
    private_key: PrivateKey = None,
    signer: SignerAddress = None,
    max_lifetime: MaxLifetime = None,
    starts: Starts = None,
    ip: ViewerNetwork = None,
    resource: Annotated[
        str | None,
        typer.Option(
            "--resource",
            metavar="PATTERN",
            help="Sign this pattern instead of URL, so that the signature covers more URLs; * and ? are wildcards.",
        ),
    ] = None,
    hash_name: Hash = None,
    passphrase_file: PassphraseFile = None,
    check: CheckKey = False,
    as_json: AsJson = False,
) -> None:
    """Sign a URL. Print the signed URL and nothing else.

    The policy is canned with --expires alone, and custom with --starts, --ip or --resource.

    `keyfront sign --json` without a URL is a program for Terraform's data "external": it reads a JSON object with the
    options (url, expires, key_id, private_key, signer, …) from standard input and prints an object of strings.

    \b
    Examples:
      keyfront sign https://d111111abcdef8.cloudfront.net/book.epub \\
        --key-id K2JCJMDEHXQW5F --private-key private_key.pem --expires 1h
      keyfront sign https://d111111abcdef8.cloudfront.net/book.epub --signer ssm:/shop/signing-key --expires 1h
      keyfront sign "https://media.example.com/42/1.ts?lang=en" --resource "https://media.example.com/42/*" \\
        --key-id K2JCJMDEHXQW5F --private-key private_key.pem --expires 2030-01-01T00:00:00Z --ip 192.0.2.10
    """
    order = _Order(
        url,
        expires,
        key_id,
        _text(private_key),
        signer,
        max_lifetime,
        starts,
        ip,
        resource,
        hash_name,
        _text(passphrase_file),
    )
    queried = url is None and as_json
    if queried:
        order = _Order(**with_query(order._asdict()))
    signed, who = _signed(order, check=check)
    if as_json:
        told = _told(signed, who)
        show_json({**as_strings(told)} if queried else told)
    else:
        show(signed)


class _Order(NamedTuple):
    """The options of `sign`, as text."""

    url: str | None
    expires: str | None
    key_id: str | None
    private_key: str | None
    signer: str | None
    max_lifetime: str | None
    starts: str | None
    ip: str | None
    resource: str | None
    hash: str | None
    passphrase_file: str | None


def _signed(order: _Order, *, check: bool) -> "tuple[str, Signer]":
    """Return the signed URL and its signer. Raises `InputError` if an option is missing or wrong."""
    if order.url is None:
        raise InputError(
            "there is no URL: give the URL to sign, such as https://d111111abcdef8.cloudfront.net/book.epub"
        )
    if order.expires is None:
        raise InputError("there is no --expires: give how long the signature is valid, such as --expires 1h")
    until, start = _times(order.expires, order.starts)
    longest = None if order.max_lifetime is None else span(order.max_lifetime, "--max-lifetime")
    who = open_signer(
        order.signer, order.key_id, _path(order.private_key), _path(order.passphrase_file), _hash(order), check=check
    )
    with _warnings_on_stderr():
        signed = who.sign_url(
            order.url, expires=until, starts=start, ip=order.ip, resource=order.resource, max_lifetime=longest
        )
    return signed, who


def _hash(order: _Order) -> Literal["sha1", "sha256"] | None:
    match order.hash:
        case None | "sha1" | "sha256":
            return order.hash
    raise InputError(f"the hash is {order.hash[:20]!a}: choose sha1 or sha256")


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)


def _path(text: str | None) -> Path | None:
    return None if text is None else Path(text)


def sign_cookies(
    resource: Annotated[
        str, typer.Argument(metavar="RESOURCE", help="The URL that the cookies unlock, or a pattern with * and ?.")
    ],
    expires: Expires,
    key_id: KeyId = None,
    private_key: PrivateKey = None,
    signer: SignerAddress = None,
    max_lifetime: MaxLifetime = None,
    starts: Starts = None,
    ip: ViewerNetwork = None,
    domain: Annotated[
        str | None,
        typer.Option(
            "--domain",
            metavar="NAME",
            help="Send them to this domain and the names below it; default: only to the host that sets them.",
        ),
    ] = None,
    path: Annotated[
        str, typer.Option("--path", metavar="PATH", help="Send them to this path and the paths below it.")
    ] = "/",
    same_site: Annotated[
        Literal["lax", "strict", "none"] | None,
        typer.Option(
            "--same-site", case_sensitive=False, help="Whether browsers send them with requests from other sites."
        ),
    ] = None,
    hash_name: Hash = None,
    passphrase_file: PassphraseFile = None,
    check: CheckKey = False,
    as_json: AsJson = False,
) -> None:
    """Sign cookies. Print a Set-Cookie line for each cookie.

    Browsers keep them until they close, and send them only over HTTPS. CloudFront accepts them until --expires. --json
    prints a map of names to values.

    \b
    Example:
      keyfront sign-cookies "https://media.example.com/42/*" --domain media.example.com --path /42 \\
        --key-id K2JCJMDEHXQW5F --private-key private_key.pem --expires 8h
    """
    until, start = _times(expires, starts)
    longest = None if max_lifetime is None else span(max_lifetime, "--max-lifetime")
    who = open_signer(signer, key_id, private_key, passphrase_file, hash_name, check=check)
    with _warnings_on_stderr():
        cookies = who.sign_cookies(resource, expires=until, starts=start, ip=ip, max_lifetime=longest)
        headers = cookies.set_cookie_headers(domain=domain, path=path, same_site=same_site)
    if as_json:
        show_json(dict(cookies))
    else:
        for header in headers:
            show(f"Set-Cookie: {header}")


def _times(expires: str, starts: str | None) -> "tuple[Moment, Moment | None]":
    return moment(expires, "--expires"), None if starts is None else moment(starts, "--starts")


@contextmanager
def _warnings_on_stderr() -> Iterator[None]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    for warning in caught:
        warn(str(warning.message))


def _told(signed: str, signer: "Signer") -> dict[str, Json]:
    """Return the signed URL and its policy's terms, read from the URL itself."""
    from keyfront.core import encoding
    from keyfront.core.policy import Policy
    from keyfront.core.urls import signing_parameters, without_signing_parameters

    base, _, query = signed.partition("?")
    parameters = dict(signing_parameters(query))
    custom = "Policy" in parameters
    if custom:
        policy = Policy.parse(encoding.decode(parameters["Policy"]))
    else:
        own = without_signing_parameters(query)
        policy = Policy(f"{base}?{own}" if own else base, int(parameters["Expires"]))
    return {
        "url": signed,
        "policy": "custom" if custom else "canned",
        "resource": policy.resource,
        "expires": policy.expires,
        "starts": policy.starts,
        "ip": policy.ip,
        "key_pair_id": signer.key_pair_id,
        "hash": signer.hash_algorithm,
    }


def register(app: typer.Typer) -> None:
    """Add `keyfront sign` and `keyfront sign-cookies` to the application."""
    app.command("sign")(sign)
    app.command("sign-cookies")(sign_cookies)
