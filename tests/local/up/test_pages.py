"""A web page in a real browser gets nothing from any port of `keyfront up`, whatever it tries."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Page
from tests.servers import Quiet, http_server

_SCOPE: Final = "X-Amz-Credential=AKIA/20200101/us-east-1/iam/aws4_request&X-Amz-Signature=00"
_PLANTED: Final = f"Action=CreateUser&UserName=planted&Version=2010-05-08&{_SCOPE}"
_SECRET: Final = "BEGIN PRIVATE KEY"

_SCRIPT: Final = """
const seen = async (url, options) => {
  try { const r = await fetch(url, options); return r.type === 'opaque' ? '' : (r.ok ? await r.text() : ''); }
  catch { return ''; }
};
const loads = (name, url) => new Promise(done => {
  const element = document.createElement(name);
  element.onload = () => done('loaded'); element.onerror = () => done('');
  if (name === 'link') { element.rel = 'stylesheet'; element.href = url; } else { element.src = url; }
  document.body.append(element); setTimeout(() => done(''), 3000);
});
const posts = (url, type, fields) => new Promise(done => {
  const frame = document.createElement('iframe'); frame.name = crypto.getRandomValues(new Uint32Array(2)).join('-');
  document.body.append(frame);
  const form = document.createElement('form');
  Object.assign(form, {action: url, method: 'POST', enctype: type, target: frame.name});
  for (const [name, value] of Object.entries(fields)) {
    const field = document.createElement('input'); Object.assign(field, {name, value}); form.append(field);
  }
  document.body.append(form);
  frame.onload = () => { let text = ''; try { text = frame.contentDocument.body.innerText; } catch {} done(text); };
  form.submit(); setTimeout(() => done(''), 3000);
});
const socket = url => new Promise(done => {
  const opened = new WebSocket(url); opened.onopen = () => done('open'); opened.onerror = () => done('');
});
const events = url => new Promise(done => {
  const source = new EventSource(url);
  source.onopen = () => { source.close(); done('open'); };
  source.onerror = () => { source.close(); done(''); };
});
"""


@dataclass(frozen=True)
class Machine:
    """A running `keyfront up` with a secret to steal, its ports by name, and clients that look what became of it.

    It lets one origin read the endpoint, which must give nothing to any other.
    """

    up: Any
    ports: dict[str, int]
    iam: Any
    sns: Any
    ssm: Any

    def is_untouched(self) -> bool:
        names = [each["Name"] for each in self.ssm.describe_parameters()["Parameters"]]
        return not self.iam.list_users()["Users"] and not self.sns.list_topics()["Topics"] and "/planted" not in names


@pytest.fixture(scope="module")
def attacker() -> Iterator[int]:
    """The port of a web server with a page, and redirects to whatever `to` says."""

    class Handler(Quiet):
        def do_GET(self) -> None:
            query = parse_qs(urlsplit(self.path).query)
            if "to" in query:
                self.send_response(int(query.get("status", ["302"])[0]))
                self.send_header("Location", query["to"][0])
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            body = f"<!doctype html><title>page</title><body></body><script>{_SCRIPT}</script>".encode()
            self.answer(200, body, Content_Type="text/html")

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", "0")))
            self.do_GET()

    with http_server(Handler) as port:
        yield port


@pytest.fixture(scope="module")
def machine(start: Any, attacker: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    named = ["--allow-origin", f"http://localhost:{attacker}"]
    with start(tmp_path_factory.mktemp("pages"), "--admin-port", "0", *named) as up:
        printed = up.printed
        urls = {"endpoint": printed["endpoint"], "shop": printed["shop"], "admin": printed["admin"]}
        ports = {name: int(url.rpartition(":")[2]) for name, url in urls.items()}
        ports["edge"] = urlsplit(printed["edge"]["http"]).port or 80
        session = boto3.Session("test", "test", region_name="us-east-1")
        iam, sns, ssm = (session.client(name, endpoint_url=printed["endpoint"]) for name in ("iam", "sns", "ssm"))
        running = Machine(up, ports, iam, sns, ssm)
        running.ssm.put_parameter(Name="/secret", Value=_SECRET, Type="SecureString")
        yield running


@pytest.fixture(scope="module")
def signed_in(browser: Browser, machine: Machine) -> Iterator[BrowserContext]:
    """A browser whose user is signed in at the shop."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{machine.up.printed['shop']}/sign-in")
    page.get_by_role("button", name="Mara").click()
    page.close()
    yield context
    context.close()


@pytest.fixture(scope="module")
def page(signed_in: BrowserContext) -> Page:
    """A window that each test leads elsewhere first."""
    return signed_in.new_page()


def goes(page: Page, url: str) -> str:
    """Open `url` as a user who typed it; what the window shows then."""
    try:
        page.goto(url)
    except Error:
        return ""
    return page.inner_text("body")


PORTS: Final = ("endpoint", "shop", "admin", "edge")
HOSTS: Final = ("127.0.0.1", "localhost", "0.0.0.0", "[::1]", "[::ffff:127.0.0.1]")
"""This machine's names. A browser writes others, such as 2130706433 and 0177.1, as 127.0.0.1 before it asks."""
PATHS: Final = {
    "endpoint": f"/?{_PLANTED}",
    "shop": "/items/harbour-lights/buy",
    "admin": "/metrics",
    "edge": "/",
}

IN_A_PAGE: Final = {
    "a fetch that wants to read": "seen(url)",
    "a fetch without cors": "seen(url, {...quiet, credentials: 'include'})",
    "a fetch with another method": "seen(url, {method: 'PUT', body: call})",
    "a fetch with JSON for a service": "seen(root, {method: 'POST', headers: target, body: secret})",
    "a fetch with JSON as text": "seen(root, {...quiet, body: secret})",
    "a fetch with a keepalive": "seen(url, {...quiet, keepalive: true})",
    "a fetch that hides its referrer": "seen(url, {...quiet, referrerPolicy: 'no-referrer'})",
    "a beacon": "(navigator.sendBeacon(url, new URLSearchParams(call)), '')",
    "an image": "loads('img', url)",
    "a script": "loads('script', url)",
    "a stylesheet": "loads('link', url)",
    "an event stream": "events(url)",
    "a web socket": "socket(url.replace('http', 'ws'))",
    "a form": "posts(root, 'application/x-www-form-urlencoded', fields)",
    "a form to its path": "posts(url, 'application/x-www-form-urlencoded', fields)",
    "a multipart form": "posts(url, 'multipart/form-data', fields)",
    "a text form": "posts(url, 'text/plain', {[secret]: ''})",
    "a form that is redirected": "posts(redirected, 'application/x-www-form-urlencoded', fields)",
}

_ATTACK: Final = """
async ([urls, redirect, call, way]) => {
  const quiet = {mode: 'no-cors', method: 'POST', body: call};
  const fields = Object.fromEntries(new URLSearchParams(call));
  const secret = '{"Name": "/secret", "WithDecryption": true}';
  const target = {'X-Amz-Target': 'AmazonSSM.GetParameter', 'Content-Type': 'application/x-amz-json-1.1'};
  const work = new Function('url', 'root', 'redirected', 'quiet', 'call', 'fields', 'secret', 'target',
                            `return ${way}`);
  const late = new Promise(done => setTimeout(() => done('no end after a minute'), 60_000));
  return Promise.all(urls.map(url => Promise.race([late, work(
    url, new URL('/', url).href, redirect + encodeURIComponent(url), quiet, call, fields, secret, target)])));
}
"""


def attack(page: Page, way: str, urls: list[str], attacker: int) -> list[str]:
    """What a page learns when it uses one of `IN_A_PAGE` on each of `urls`."""
    redirect = f"http://127.0.0.1:{attacker}/?status=307&to="
    learned: list[str] = page.evaluate(_ATTACK, [urls, redirect, _PLANTED, IN_A_PAGE[way]])
    return learned


@pytest.mark.parametrize("way", IN_A_PAGE)
def test_a_page_of_another_site(page: Page, machine: Machine, attacker: int, way: str) -> None:
    page.goto(f"http://evil.test:{attacker}/")
    hosts = ("127.0.0.1", "localhost", "0.0.0.0")
    urls = [f"http://{host}:{machine.ports[port]}{PATHS[port]}" for port in PORTS for host in hosts]
    assert not any(attack(page, way, urls, attacker))
    assert machine.is_untouched()
    assert not bought(page, machine)


@pytest.mark.parametrize("way", IN_A_PAGE)
def test_a_page_of_a_distribution_cannot_use_the_endpoint(
    page: Page, machine: Machine, attacker: int, way: str
) -> None:
    # Same-site with localhost, as a page that the edge serves is.
    page.goto(f"http://d111111abcdef8.cloudfront.localhost:{attacker}/")
    urls = [f"http://localhost:{machine.ports[port]}{PATHS[port]}" for port in ("endpoint", "shop", "admin")]
    assert not any(attack(page, way, urls, attacker))
    assert machine.is_untouched()
    assert not bought(page, machine)


@pytest.mark.parametrize(
    ("how", "hosts"), [("typed", HOSTS), ("redirected", HOSTS[:2]), ("link", HOSTS[:2]), ("popup", HOSTS[:2])]
)
def test_a_navigation(page: Page, machine: Machine, attacker: int, how: str, hosts: tuple[str, ...]) -> None:
    for url in (f"http://{host}:{machine.ports[port]}{PATHS[port]}" for port in PORTS for host in hosts):
        if how == "typed":
            goes(page, url)
        elif how == "redirected":
            goes(page, f"http://evil.test:{attacker}/?to={url.replace('&', '%26')}")
        else:
            page.goto(f"http://evil.test:{attacker}/")
            with page.expect_popup() as opening:
                window = page.evaluate_handle(f"window.open({url!r}, {'_blank' if how == 'popup' else 'frame'!r})")
            opening.value.wait_for_load_state()
            read = page.evaluate("w => { try { return w.document.body.innerText } catch { return '' } }", window)
            assert not read
            opening.value.close()
    assert machine.is_untouched()
    assert not bought(page, machine)


@pytest.mark.parametrize("port", PORTS)
def test_a_name_that_was_rebound(page: Page, machine: Machine, port: str) -> None:
    page.goto(f"http://rebound.test:{machine.ports[port]}{PATHS[port]}")
    signed = "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/ssm/aws4_request, SignedHeaders=host, Signature=00"
    stolen = page.evaluate(
        """async authorization => {
          const headers = {authorization, 'x-amz-target': 'AmazonSSM.GetParameter',
                           'content-type': 'application/x-amz-json-1.1'};
          const body = '{"Name": "/secret", "WithDecryption": true}';
          const r = await fetch('/', {method: 'POST', headers, body});
          return [r.status, await r.text()];
        }""",
        signed,
    )
    assert stolen[0] in (400, 403)
    assert _SECRET not in stolen[1]
    assert page.evaluate("fetch(location.href).then(r => r.status)") in (400, 403)
    assert machine.is_untouched()


def test_only_the_named_origins_page_reads_the_endpoint(page: Page, machine: Machine, attacker: int) -> None:
    script = """url => seen(url, {method: 'POST', body: '{}', headers: {
      'X-Amz-Target': 'AmazonSSM.DescribeParameters', 'Content-Type': 'application/x-amz-json-1.1',
      Authorization: 'AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/ssm/aws4_request, Signature=00',
    }})"""
    for host, reads in (("localhost", True), ("127.0.0.1", False)):
        page.goto(f"http://{host}:{attacker}")
        assert ("/keyfront/" in page.evaluate(script, f"{machine.up.printed['endpoint']}/")) is reads


def bought(page: Page, machine: Machine) -> bool:
    """Whether the customer has what only a page of another site could have bought."""
    library = page.context.request.get(f"{machine.up.printed['shop']}/library").text()
    assert "Mara" in library
    return "Harbour Lights" in library
