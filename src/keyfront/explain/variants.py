"""Variants that may have been signed instead of the request: the likely other forms of a URL and of a policy.

Each change names the finding that it would prove. `search` verifies them.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from itertools import combinations, permutations
from typing import NamedTuple
from urllib.parse import quote, unquote

from keyfront.core import encoding
from keyfront.core.policy import canonical
from keyfront.explain import hiding

_MOST_PERMUTED = 5
_MOST_DROPPED = 6
_PORTS = ("443", "80", "8443", "8080", "3000")
# Characters that some programs encode and others do not. Spaces are handled separately.
_TOGGLED = "~'!()*,;:@=+$[]&/|\"{}"


class Change(NamedTuple):
    """One difference between the signed bytes and the request."""

    id: str
    text: str
    """The difference in a few words: `http:// was signed`."""


class Document(NamedTuple):
    """Bytes that may have been signed."""

    signed: bytes
    changes: tuple[Change, ...]
    url: str = ""
    """The URL in them, for a canned policy."""


def urls(url: str, hosts: Iterable[str] = (), origins: Iterable[str] = ()) -> Iterator[tuple[Change, str]]:
    """Yield other forms of `url` that are signed by mistake, likely ones first.

    `hosts` are other names of the same distribution, `origins` are host names of its origins.
    """
    scheme, _, rest = url.partition("://")
    host, _, tail = rest.partition("/")
    location, mark, query = tail.partition("?")
    path = f"/{location}"
    asked = mark + query

    other = "http" if scheme == "https" else "https"
    yield Change("protocol-differs", f"{other}:// was signed"), f"{other}://{rest}"
    bare = host.removeprefix("www.")
    swapped = bare if bare != host else f"www.{host}"
    yield Change("www-differs", f"{swapped} was signed"), f"{scheme}://{swapped}{path}{asked}"
    for name in hosts:
        if name != host and not name.startswith("*."):
            yield Change("host-differs", f"{name} was signed"), f"{scheme}://{name}{path}{asked}"
    for name in origins:
        yield Change("origin-host-signed", f"the origin's host {name} was signed"), f"{scheme}://{name}{path}{asked}"
    name, colon, _ = host.partition(":")
    if colon:
        yield Change("port-differs", "no port was signed"), f"{scheme}://{name}{path}{asked}"
    for port in _PORTS:
        if host != f"{name}:{port}":
            text = f"the port {port} was signed"
            yield Change("port-differs", text), f"{scheme}://{name}:{port}{path}{asked}"
    start = f"{scheme}://{host}"
    yield from ((change, start + new + asked) for change, new in _paths(path))
    yield from ((change, start + path + new) for change, new in _queries(query))
    yield from _whole(url)
    yield from _wildcards(scheme, host, path)
    key = path.removeprefix("/")
    for text, new in (
        ("only the path was signed", path + asked),
        ("only the object's key was signed", key + asked),
        ("the URL was signed without its protocol", f"{host}{path}{asked}"),
        ("the URL was signed without its protocol", f"//{host}{path}{asked}"),
    ):
        yield Change("resource-is-no-url", text), new


def _paths(path: str) -> Iterator[tuple[Change, str]]:
    yield Change("plus-for-space", "a space was signed as +"), path.replace("%20", "+")
    yield Change("plus-for-space", "a + was signed as %20"), path.replace("+", "%20")
    yield Change("plus-for-space", "a + was signed as a space"), path.replace("+", " ")
    decoded = unquote(path)
    forms = {
        "the path was signed decoded": decoded,
        "the path was signed encoded": quote(path, safe="/%~!$&'()*+,;=:@"),
        "the path was signed encoded twice": quote(path, safe="/"),
        "the path was signed with every special character encoded": quote(decoded, safe="/"),
        "the path was signed with its slashes encoded": "/" + quote(decoded[1:], safe=""),
        "the path was signed in form encoding": quote(decoded, safe="/").replace("%20", "+"),
        "the path was signed with lower-case escapes": _small_escapes(path),
        "the path was signed with upper-case escapes": _large_escapes(path),
    }
    for text, new in forms.items():
        yield Change("path-encoding-differs", text), new
    yield Change("path-encoding-differs", "a + was signed as %2B"), path.replace("+", "%2B")
    for text, new in _toggled(path):
        yield Change("path-encoding-differs", text), new
    slashed = path[:-1] if path.endswith("/") else f"{path}/"
    with_it = "without" if path.endswith("/") else "with"
    yield Change("trailing-slash-differs", f"the path was signed {with_it} a slash at its end"), slashed
    yield Change("slashes-differ", "the path was signed with two slashes at its start"), f"/{path}"
    if "//" in path:
        yield Change("slashes-differ", "the path was signed with single slashes"), path.replace("//", "/")
    if path.lower() != path:
        yield Change("case-differs", "the path was signed in lower case"), path.lower()


def _named(part: str) -> str:
    """Return a parameter without its value, for a text. A part without `=` may itself be a value."""
    called, equals, given = part.partition("=")
    return hiding.name(called) if equals and given else hiding.url(f"?{part}")[1:]


def _queries(query: str) -> Iterator[tuple[Change, str]]:
    if not query:
        yield Change("dangling-question-mark", "a ? was signed after the path"), "?"
        return
    parts = query.split("&")
    for size in range(1, len(parts) + 1 if len(parts) <= _MOST_DROPPED else 2):
        for dropped in combinations(range(len(parts)), size):
            kept = "&".join(part for n, part in enumerate(parts) if n not in dropped)
            names = ", ".join(_named(parts[n]) for n in dropped)
            yield Change("query-added", f"{names} was not signed"), f"?{kept}" if kept else ""
    yield Change("query-added", "the query string was not signed"), ""
    orders: Iterable[tuple[str, ...]] = (
        permutations(parts) if len(parts) <= _MOST_PERMUTED else (tuple(sorted(parts)), tuple(reversed(parts)))
    )
    for order in orders:
        if list(order) != parts:
            text = f"the parameters were signed in the order {', '.join(map(_named, order))}"
            yield Change("query-order-differs", text), "?" + "&".join(order)
    yield Change("plus-for-space", "a space in the query string was signed as +"), "?" + query.replace("%20", "+")
    yield Change("plus-for-space", "a + in the query string was signed as %20"), "?" + query.replace("+", "%20")
    yield Change("plus-for-space", "a + in the query string was signed as a space"), "?" + query.replace("+", " ")
    values = [part.partition("=") for part in parts]
    forms = {
        "the query string was signed decoded": [name + equals + unquote(value) for name, equals, value in values],
        "the query string was signed encoded": [quote(part, safe="%=~!$'()*+,;:@/?") for part in parts],
        "the query string was signed with every special character encoded": [
            quote(unquote(name), safe="") + equals + quote(unquote(value), safe="") for name, equals, value in values
        ],
        "the query string was signed in encodeURIComponent's form": [
            name + equals + quote(unquote(value), safe="!'()*~") for name, equals, value in values
        ],
        "the query string was signed encoded twice": [
            name + equals + quote(value, safe="") for name, equals, value in values
        ],
        "the query string was signed with lower-case escapes": [_small_escapes(part) for part in parts],
    }
    for text, new in forms.items():
        yield Change("query-encoding-differs", text), "?" + "&".join(new)
    for text, changed in _toggled(query):
        yield Change("query-encoding-differs", text), f"?{changed}"
    yield Change("html-escaped", "&amp; was signed instead of &"), "?" + query.replace("&", "&amp;")
    if query.endswith("&"):
        yield Change("dangling-question-mark", "the & at the end was not signed"), "?" + query.rstrip("&")


def _whole(url: str) -> Iterator[tuple[Change, str]]:
    yield Change("path-encoding-differs", "the whole URL was signed decoded"), unquote(url)
    yield Change("path-encoding-differs", "the whole URL was signed encoded"), quote(url, safe="")
    yield Change("white-space-signed", "a line end was signed after the URL"), f"{url}\n"
    yield Change("white-space-signed", "a space was signed after the URL"), f"{url} "
    yield Change("white-space-signed", "quotes were signed around the URL"), f'"{url}"'


def _wildcards(scheme: str, host: str, path: str) -> Iterator[tuple[Change, str]]:
    folders = path.split("/")[:-1]
    patterns = [f"{'/'.join(folders[:n])}/*" for n in range(len(folders), 0, -1)]
    stem, dot, extension = path.rpartition(".")
    if dot and "/" not in extension:
        patterns += [f"{stem}.*", f"{stem}*", f"{'/'.join(folders)}/*.{extension}"]
    patterns += [f"{path}*", f"{path}?*"]
    for start in (f"{scheme}://{host}", f"http*://{host}", f"*://{host}"):
        for new in patterns:
            yield Change("wildcard-in-canned-policy", f"{start}{new} was signed"), start + new
    for whole in (f"{scheme}://*", "http*://*", "*"):
        yield Change("wildcard-in-canned-policy", f"{whole} was signed"), whole


def _toggled(text: str) -> Iterator[tuple[str, str]]:
    for character in _TOGGLED:
        escape = f"%{ord(character):02X}"
        if character in text:
            yield f"{character} was signed as {escape}", text.replace(character, escape)
        if escape in text.upper():
            yield (
                f"{escape} was signed as {character}",
                text.replace(escape, character).replace(escape.lower(), character),
            )


def _small_escapes(text: str) -> str:
    head, *escapes = text.split("%")
    return "%".join([head, *(part[:2].lower() + part[2:] for part in escapes)])


def _large_escapes(text: str) -> str:
    head, *escapes = text.split("%")
    return "%".join([head, *(part[:2].upper() + part[2:] for part in escapes)])


def expiries(expires: int) -> Iterator[tuple[Change, str]]:
    """Yield other ways to write the time `expires` into a policy, as JSON."""
    yield Change("signed-time-differs", "the time was signed in milliseconds"), str(expires * 1000)
    if expires > 10**11:
        yield Change("signed-time-differs", "the time was signed in seconds"), str(expires // 1000)
        yield Change("signed-time-differs", "the time was signed in whole seconds"), str(round(expires / 1000))
    yield Change("time-is-text", "the time was signed as a string, in quotes"), f'"{expires}"'
    yield Change("signed-time-differs", "the time was signed as a decimal number"), f"{expires}.0"


def formats(resource: str, seconds: str) -> Iterator[tuple[Change, bytes]]:
    """Yield other ways to write a canned policy. Source: the SDKs, and the defaults of JSON libraries."""
    try:
        plain = canonical(resource, int(seconds))
        value: object = int(seconds)
    except ValueError:
        value = json.loads(seconds)
        plain = canonical(resource, 0).replace(b'"AWS:EpochTime":0', f'"AWS:EpochTime":{seconds}'.encode())
    statement = {"Resource": resource, "Condition": {"DateLessThan": {"AWS:EpochTime": value}}}
    yield from rewritten({"Statement": [statement]}, plain)
    yield _spaced({"Statement": statement}, "Statement was signed as an object, not as a list", (",", ":"))


def unescaped(resource: str, expires: int) -> bytes:
    """Return a canned policy with unescaped non-ASCII letters in its JSON, as most SDKs write it."""
    statement = {"Resource": resource, "Condition": {"DateLessThan": {"AWS:EpochTime": expires}}}
    text = json.dumps({"Statement": [statement]}, separators=(",", ":"), ensure_ascii=False)
    return text.encode("utf-8", "surrogatepass")


def rewritten(document: object, plain: bytes) -> Iterator[tuple[Change, bytes]]:
    """Yield other bytes for the same policy. `plain` is the policy as received."""
    stripped = plain.strip()
    for text, new in (
        ("a line end was signed after the policy", stripped + b"\n"),
        ("a Windows line end was signed after the policy", stripped + b"\r\n"),
        ("two line ends were signed after the policy", stripped + b"\n\n"),
        ("the policy was signed without the white space around it", stripped),
        ("a byte order mark was signed before the policy", b"\xef\xbb\xbf" + stripped),
    ):
        yield Change("policy-white-space-differs", text), new
    yield _spaced(document, "the JSON was signed with spaces after , and :", (", ", ": "))
    yield _spaced(document, "the JSON was signed without spaces", (",", ":"))
    for indent in (2, 4, 3, 1):
        indented = json.dumps(document, indent=indent).encode()
        yield (
            Change(
                "policy-white-space-differs",
                f"the JSON was signed with an indent of {indent} {'space' if indent == 1 else 'spaces'}",
            ),
            indented,
        )
    yield (
        Change("policy-white-space-differs", "the JSON was signed with tabs"),
        json.dumps(document, indent="\t").encode(),
    )
    slashes = json.dumps(document, separators=(",", ":")).replace("/", "\\/").encode()
    yield Change("policy-rewritten", "the JSON was signed with its slashes escaped (PHP's json_encode)"), slashes
    unicode = json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")
    yield Change("policy-rewritten", "the JSON was signed with its characters unescaped"), unicode
    ampersands = stripped.replace(b"&", b"\\u0026")
    yield Change("policy-rewritten", "the JSON was signed with & escaped (as Go and .NET do)"), ampersands
    for new in _reordered(document):
        yield Change("policy-rewritten", "the JSON's members were signed in another order"), new
    encoded = encoding.encode(plain)
    yield Change("encoded-policy-signed", "the encoded policy was signed, not its JSON"), encoded.encode()
    standard = encoded.replace("-", "+").replace("_", "=").replace("~", "/")
    yield Change("encoded-policy-signed", "the policy's base64 was signed, not its JSON"), standard.encode()


def _spaced(document: object, text: str, separators: tuple[str, str]) -> tuple[Change, bytes]:
    return Change("policy-white-space-differs", text), json.dumps(document, separators=separators).encode()


def _reordered(document: object) -> Iterator[bytes]:
    dumps: tuple[Callable[[object], str], ...] = (
        lambda value: json.dumps(value, separators=(",", ":")),
        lambda value: json.dumps(value, separators=(", ", ": ")),
    )
    for order in (sorted, lambda names: sorted(names, reverse=True)):
        for dump in dumps:
            yield dump(_in_order(document, order)).encode()
    statement = document.get("Statement") if isinstance(document, dict) else None
    first = statement[0] if isinstance(statement, list) and statement else statement
    condition = first.get("Condition") if isinstance(first, dict) else None
    if isinstance(first, dict) and isinstance(condition, dict):
        for names in permutations(condition):
            mended = {**first, "Condition": {name: condition[name] for name in names}}
            yield dumps[0]({"Statement": [mended]}).encode()
            yield dumps[0]({"Statement": [dict(reversed(mended.items()))]}).encode()


def _in_order(value: object, order: Callable[[Iterable[str]], list[str]]) -> object:
    if isinstance(value, dict):
        return {name: _in_order(value[name], order) for name in order(value)}
    if isinstance(value, list):
        return [_in_order(item, order) for item in value]
    return value
