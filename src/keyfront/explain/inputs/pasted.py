"""Read pasted requests: curl commands as browsers copy them (bash, cmd), and PowerShell commands."""

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from keyfront.errors import InputError

# All curl options that take a value, so that no value, such as a password, is mistaken for the URL. Source:
# `curl --help all` of 7.88, and newer options from curl's manual.
_NAMES: Final = """
-A -b -C -c -d -D -E -e -F -h -H -K -m -o -P -Q -r -t -T -u -U -w -x -X -y -Y -z
--abstract-unix-socket --alt-svc --aws-sigv4 --cacert --capath --cert --cert-type --ciphers --config
--connect-timeout --connect-to --continue-at --cookie --cookie-jar --create-file-mode --crlfile
--curves --data --data-ascii --data-binary --data-raw --data-urlencode --delegation --dns-interface
--dns-ipv4-addr --dns-ipv6-addr --dns-servers --doh-url --dump-header --ech --egd-file --engine
--etag-compare --etag-save --expect100-timeout --form --form-string --ftp-account
--ftp-alternative-to-user --ftp-method --ftp-port --ftp-ssl-ccc-mode --happy-eyeballs-timeout-ms
--haproxy-clientip --header --help --hostpubmd5 --hostpubsha256 --hsts --interface --ip-tos
--ipfs-gateway --json --keepalive-cnt --keepalive-time --key --key-type --krb --libcurl --limit-rate
--local-port --login-options --mail-auth --mail-from --mail-rcpt --max-filesize --max-redirs
--max-time --netrc-file --noproxy --oauth2-bearer --output --output-dir --parallel-max --pass
--pinnedpubkey --proto --proto-default --proto-redir --proxy --proxy-cacert --proxy-capath
--proxy-cert --proxy-cert-type --proxy-ciphers --proxy-crlfile --proxy-header --proxy-key
--proxy-key-type --proxy-pass --proxy-pinnedpubkey --proxy-service-name --proxy-tls13-ciphers
--proxy-tlsauthtype --proxy-tlspassword --proxy-tlsuser --proxy-user --proxy1.0 --pubkey --quote
--random-file --range --rate --referer --request --request-target --resolve --retry --retry-delay
--retry-max-time --sasl-authzid --service-name --sigalgs --socks4 --socks4a --socks5
--socks5-gssapi-service --socks5-hostname --speed-limit --speed-time --stderr --telnet-option
--tftp-blksize --time-cond --tls-max --tls13-ciphers --tlsauthtype --tlspassword --tlsuser --trace
--trace-ascii --trace-config --unix-socket --upload-file --upload-flags --url --url-query --user
--user-agent --variable --vlan-priority --write-out
"""
_VALUED: Final = frozenset(_NAMES.split())
_BODY: Final = (
    "-d",
    "--data",
    "--data-raw",
    "--data-binary",
    "--data-urlencode",
    "--data-ascii",
    "--json",
    "-F",
    "--form",
)
_ANSI_C = re.compile(r"(?<!\S)\$'((?:[^'\\]|\\.)*)'", re.DOTALL)
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{1,4}|U[0-9a-fA-F]{1,8}|x[0-9a-fA-F]{1,2}|[0-7]{1,3}|.)", re.DOTALL)
_SIMPLE: Final = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "e": "\x1b", "f": "\f", "v": "\v"}
_NETLOC = re.compile(r"([a-z]+:/*)[^/?#]*", re.IGNORECASE)
_POWERSHELL_COOKIE = re.compile(r"System\.Net\.Cookie\(\"([^\"]*)\",\s*\"((?:[^\"`]|`.)*)\"")
_POWERSHELL_HEADER = re.compile(r"^\s*\"([\w-]+)\"\s*=\s*\"((?:[^\"`]|`.)*)\"", re.MULTILINE)
_POWERSHELL_URI = re.compile(r"-Uri\s+\"((?:[^\"`]|`.)*)\"", re.IGNORECASE)
_POWERSHELL_METHOD = re.compile(r"-Method\s+\"?([A-Za-z]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Pasted:
    """A request from a pasted command."""

    url: str
    cookie: str = ""
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    """All other headers, with names in lower case."""
    cut: str = ""
    """The URL that a shell leaves of one without quotes: it ends at the first &. Empty if the URL has quotes."""


@dataclass(slots=True)
class _Words:
    """The values collected from the words of a curl command."""

    urls: list[str] = field(default_factory=list)
    cookies: list[str] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    method: str = ""


def request(text: str) -> Pasted:
    """Return the request in the pasted command `text`. Raises `InputError` if there is none."""
    text = text.strip().lstrip("$> ")
    if "Invoke-WebRequest" in text or "System.Net.Cookie(" in text:
        return _powershell(text)
    return _curl(text)


def _curl(text: str) -> Pasted:
    try:
        words = shlex.split(_posix(text))
    except ValueError:
        raise InputError(
            "the pasted curl command ends inside quotes: copy the whole command, or put it into a file (--curl FILE)"
        ) from None
    if not words or not words[0].replace("\\", "/").rpartition("/")[2].removesuffix(".exe") == "curl":
        raise InputError("--curl: this is not a curl command: in the browser's network view, choose Copy as cURL")
    found = _read(words[1:])
    if not found.urls:
        raise InputError("--curl: the command has no URL")
    url = next((each for each in found.urls if "://" in each), found.urls[0])
    if "://" not in url:
        url = f"http://{url}"
    if host := found.headers.pop("host", ""):
        there = _NETLOC.match(url)
        url = f"{there[1]}{host}{url[there.end() :]}" if there else url
    cut = url.partition("&")[0] if _without_quotes(url, text) else ""
    return Pasted(url, "; ".join(found.cookies), (found.method or "GET").upper(), found.headers, cut)


def _without_quotes(url: str, text: str) -> bool:
    """Return whether `url` stands in a command for a POSIX shell without quotes and with a bare &."""
    at = text.find(url)
    return "&" in url and at > 0 and text[at - 1].isspace() and "^" not in text


def _read(words: list[str]) -> _Words:
    found = _Words()
    rest = iter(words)
    for word in rest:
        if not word.startswith("-") or word == "-":
            found.urls.append(word)
            continue
        for name, value in _options(word):
            if name in _VALUED and value is None:
                value = next(rest, "")
            _take(found, name, value or "")
    return found


def _options(word: str) -> Iterator[tuple[str, str | None]]:
    """Yield the options in one word, each with its value if the word contains it (`-XPOST`, `-sSL`, `--url=…`)."""
    if word.startswith("--"):
        name, equals, value = word.partition("=")
        yield name, value if equals else None
        return
    for at, letter in enumerate(word[1:], start=1):
        if f"-{letter}" in _VALUED:
            yield f"-{letter}", word[at + 1 :] or None
            return
        yield {"I": "--head", "G": "--get"}.get(letter, f"-{letter}"), None


def _take(found: _Words, name: str, value: str) -> None:
    if name in ("-H", "--header"):
        header, _, text = value.partition(":")
        name = header.strip().lower()
        if name == "cookie":
            found.cookies.append(text.strip())
        elif name:
            found.headers[name] = "; ".join(filter(None, (found.headers.get(name), text.strip())))
    elif name in ("-b", "--cookie"):
        if "=" not in value:
            # The message does not repeat the value: it may be a cookie's value without its name.
            raise InputError("--curl: the command reads its cookies (-b) from a file: add --cookie 'HEADER'")
        found.cookies.append(value)
    elif name in ("-X", "--request"):
        found.method = value
    elif name in _BODY:
        found.method = found.method or "POST"
    elif name == "--head":
        found.method = "HEAD"
    elif name == "--get":
        found.method = "GET"
    elif name == "--url":
        found.urls.append(value)


def _posix(text: str) -> str:
    """Return the command for a POSIX shell: without cmd's carets, and with bash's `$'…'` as plain quotes."""
    if '^"' in text or re.search(r"\^\r?\n", text):
        text = re.sub(r"\^\r?\n", " ", text)
        # cmd: ^" is a quotation mark, ^\^" is one inside quotes, and ^ before anything else is dropped.
        text = re.sub(r"\^(.)", r"\1", text, flags=re.DOTALL)
    text = re.sub(r"[\\`]\r?\n", " ", text)
    return _ANSI_C.sub(lambda found: shlex.quote(_ESCAPE.sub(_character, found[1])), text)


def _character(found: re.Match[str]) -> str:
    code = found[1]
    if code[0] in "uUx" and len(code) > 1:
        return chr(int(code[1:], 16))
    if code[0] in "01234567":
        return chr(int(code, 8))
    return _SIMPLE.get(code, code)


def _powershell(text: str) -> Pasted:
    uri = _POWERSHELL_URI.search(text)
    if uri is None:
        raise InputError("--curl: the PowerShell command has no -Uri")
    cookies = [f"{name}={_unticked(value)}" for name, value in _POWERSHELL_COOKIE.findall(text)]
    headers = {name.lower(): _unticked(value) for name, value in _POWERSHELL_HEADER.findall(text)}
    cookies += [headers.pop("cookie")] if "cookie" in headers else []
    method = _POWERSHELL_METHOD.search(text)
    return Pasted(_unticked(uri[1]), "; ".join(cookies), method[1].upper() if method else "GET", headers)


def _unticked(text: str) -> str:
    return re.sub(r"`(.)", r"\1", text)
