"""Other forms of a URL that may have been signed instead of the requested one.

Each change names the finding that it would prove. `search` verifies them.
"""

from collections.abc import Iterable, Iterator
from itertools import combinations, permutations
from urllib.parse import quote, unquote

from keyfront.core.s3 import s3_host
from keyfront.explain import hiding, neighbours
from keyfront.explain.change import Change

_MOST_PERMUTED = 5
_MOST_DROPPED = 6
_PORTS = ("443", "80", "8443", "8080", "3000")
# Characters that some programs encode and others do not. Spaces are handled separately.
_AFTER_A_LINK = ").,;:!>]}'\"*"
"""What people and programs put directly after a link."""
_TOGGLED = "#~'!()*,;:@=+$[]&/|\"{}"


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
        if (named := s3_host(name)) is not None and named.bucket:
            regional = f"s3.{named.region}.amazonaws.com" if named.region else "s3.amazonaws.com"
            text = f"the bucket's address at {regional} was signed"
            yield Change("origin-host-signed", text), f"{scheme}://{regional}/{named.bucket}{path}{asked}"
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
    if (bare := url.rstrip(_AFTER_A_LINK)) != url:
        yield Change("url-not-as-sent", f"{url[len(bare) :]} at its end was not signed"), bare
    yield from _wildcards(scheme, host, path)
    key = path.removeprefix("/")
    for text, new in (
        ("only the path was signed", path + asked),
        ("only the object's key was signed", key + asked),
        ("the URL was signed without its protocol", f"{host}{path}{asked}"),
        ("the URL was signed without its protocol", f"//{host}{path}{asked}"),
    ):
        yield Change("resource-is-no-url", text), new


def elsewhere(url: str, prefixes: Iterable[str] = ()) -> Iterator[tuple[Change, str]]:
    """Yield URLs of other files and folders of the same host that are signed by mistake, likely ones first.

    `prefixes` are paths of the origins.
    """
    scheme, _, rest = url.partition("://")
    host, _, tail = rest.partition("/")
    location, mark, query = tail.partition("?")
    start, path, asked = f"{scheme}://{host}", f"/{location}", mark + query
    yield from ((change, start + new) for change, new in neighbours.folders(path))
    yield from ((change, start + new + asked) for change, new in neighbours.of_the_stream(path))
    yield from ((change, start + new + asked) for change, new in neighbours.slashed(path))
    yield Change("slashes-differ", "the path was signed without the slash before it"), start + location + asked
    yield from ((change, start + new + asked) for change, new in neighbours.rewritten(path, prefixes))


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
