"""The service's answers to each front door, asked as that front door would ask."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.waiting import wait_until

from keyfront import Signer
from keyfront.edge.authz.fronts import FRONTS, FrontRequest, FrontResponse
from keyfront.edge.authz.protection import ALL_METHODS, FILES, Files, Read, Rules
from keyfront.edge.authz.service import responder
from keyfront.edge.request.admission import Door
from keyfront.errors import InputError, ServiceError

ID = "K2JCJMDEHXQW5F"
SITE = "https://media.example.com"


class Answered:
    """What the front door got."""

    def __init__(self, sent: FrontResponse) -> None:
        self.status, headers, self.body = sent
        self.headers = {name.decode(): value.decode() for name, value in headers}


class Service:
    """The service, asked without a socket."""

    def __init__(
        self,
        files: Files,
        front: str,
        *,
        read: Read | None = None,
        refresh: float = 3600,
        stale: float = 3600,
        **options: Any,
    ) -> None:
        door = Door(distribution_id=FILES, any_host=True)
        self._rules = rules = Rules(read or files.read, door, seconds=refresh, stale=stale)
        self.front = front
        self._respond = responder(FRONTS[front], rules, **options)

    @contextmanager
    def following(self) -> Iterator[None]:
        """Read the rules again and again meanwhile."""
        self._rules.start()
        try:
            yield
        finally:
            self._rules.stop()

    def ask(self, path: str, headers: list[tuple[str, str]], method: str = "GET", query: str = "") -> Answered:
        listed = [(name.encode(), value.encode("latin-1")) for name, value in headers]
        return Answered(self._respond(FrontRequest(method, path.encode(), query.encode(), listed)))

    def judge(self, target: str, *, method: str = "GET", cookie: str = "", ip: str = "192.0.2.1") -> Answered:
        """What this front door asks when a viewer asks for `target` at https://media.example.com."""
        path, query, headers = "/authz", "", [("x-forwarded-proto", "https")]
        if self.front == "nginx":
            headers += [("host", "media.example.com"), ("x-original-uri", target)]
            headers += [("x-original-method", method), ("x-real-ip", ip)]
        elif self.front == "envoy":
            path, _, query = f"/authz{target}".partition("?")
            headers += [("host", "media.example.com"), ("x-forwarded-for", ip)]
        else:
            headers += [("host", "127.0.0.1:9180"), ("x-forwarded-host", "media.example.com")]
            headers += [("x-forwarded-uri", target), ("x-forwarded-method", method), ("x-forwarded-for", ip)]
        headers += [("cookie", cookie)] if cookie else []
        return self.ask(path, headers, method if self.front == "envoy" else "GET", query)


@pytest.fixture
def files(public_key: Path) -> Files:
    return Files([(ID, public_key)], protect=["/private/*"])


@pytest.fixture
def target(signer: Signer) -> str:
    return signer.sign_url(f"{SITE}/private/x?a=%2f", expires=timedelta(hours=1)).removeprefix(SITE)


@pytest.mark.parametrize("front", FRONTS)
def test_every_front_door_gets_the_same_decisions(files: Files, front: str, target: str, signer: Signer) -> None:
    service = Service(files, front)
    allowed = service.judge(target)
    assert (allowed.status, allowed.body) == (200, b"")
    assert (allowed.headers["x-keyfront-reason"], allowed.headers["x-keyfront-key-id"]) == ("allowed", ID)
    assert service.judge("/public/x").headers["x-keyfront-reason"] == "public"
    made = signer.sign_cookies(f"{SITE}/private/42/*", expires=timedelta(hours=1), ip="192.0.2.0/24")
    cookie = "; ".join(f"{name}={value}" for name, value in made.items())
    assert service.judge("/private/42/x", cookie=cookie).status == 200
    for refused in (
        service.judge("/private/x"),
        service.judge("/public/..%2fprivate/x"),
        service.judge(target.replace("a=", "b=")),
        service.judge(target, method="POST"),
        service.judge("/private/43/x", cookie=cookie),
        service.judge("/private/42/x", cookie=cookie, ip="198.51.100.1"),
        service.judge("/private/42/x", cookie=cookie, ip="2001:db8::1"),
        service.judge("/private/x#"),
        service.judge("/private/x%00"),
    ):
        assert refused.status in (400, 403)
        assert "x-keyfront-key-id" not in refused.headers


@pytest.mark.parametrize("front", ["caddy", "traefik", "envoy"])
def test_a_front_door_that_passes_refusals_on_gets_cloudfronts_body_and_no_word_more(files: Files, front: str) -> None:
    seen = Service(files, front).judge("/private/x")
    assert (seen.status, seen.headers["content-type"]) == (403, "text/xml")
    assert b"<Code>MissingKey</Code>" in seen.body
    assert "missing-key-pair-id" not in f"{seen.headers}{seen.body!r}"


def test_nginx_gets_403_for_every_refusal_and_the_page_when_it_asks_for_it(files: Files) -> None:
    service = Service(files, "nginx")
    bad = service.judge("/private/x%00")
    assert (bad.status, bad.headers["x-keyfront-status"], bad.body) == (403, "400", b"")
    headers = [("host", "media.example.com"), ("x-forwarded-proto", "https"), ("x-real-ip", "192.0.2.1")]
    for target, status, text in (
        ("/private/x", 403, b"<Code>MissingKey</Code>"),
        ("/private/x%00", 400, b"400 ERROR"),
        ("/public/x", 403, b"<Code>AccessDenied</Code>"),
    ):
        seen = service.ask("/refusal", [*headers, ("x-original-method", "GET"), ("x-original-uri", target)])
        assert seen.status == status
        assert text in seen.body


@pytest.mark.parametrize("front", FRONTS)
def test_a_header_that_is_missing_or_stands_twice_lets_nobody_in(
    files: Files, front: str, target: str, caplog: pytest.LogCaptureFixture
) -> None:
    service = Service(files, front)
    whole: list[tuple[str, str]] = []
    original = service.ask
    service.ask = lambda path, headers, *rest: whole.extend(headers) or original(path, headers, *rest)  # type: ignore[method-assign,func-returns-value]
    assert service.judge("/public/x").status == 200
    path = "/authz/public/x" if front == "envoy" else "/authz"
    needed = [each for each in whole if front in ("nginx", "envoy") or each[0] != "host"]
    for name, value in needed:
        caplog.clear()
        seen = original(path, [each for each in needed if each[0] != name])
        assert seen.status == 500, name
        assert f"the header {name.title()} is missing" in caplog.text
        if name != "x-forwarded-for":  # a list: what stands twice is one
            assert original(path, [*needed, (name, value)]).status == 500


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("x-forwarded-proto", "ftp"),
        ("x-forwarded-for", "unknown"),
        ("x-forwarded-for", "192.0.2.1, "),
        ("x-forwarded-method", "GET /x"),
    ],
)
def test_a_header_that_says_nothing_that_can_be_used_lets_nobody_in(files: Files, header: str, value: str) -> None:
    headers = {
        "x-forwarded-proto": "https",
        "x-forwarded-host": "media.example.com",
        "x-forwarded-uri": "/public/x",
        "x-forwarded-method": "GET",
        "x-forwarded-for": "192.0.2.1",
    }
    service = Service(files, "caddy")
    assert service.ask("/authz", list(headers.items())).status == 200
    assert service.ask("/authz", list({**headers, header: value}.items())).status == 500


@pytest.mark.parametrize("host", ["", "a b", "media.example.com/private/x?", "media.example.com, b"])
def test_a_host_that_is_none_lets_nobody_in(files: Files, host: str) -> None:
    headers = [
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", host),
        ("x-forwarded-uri", "/public/x"),
        ("x-forwarded-method", "GET"),
        ("x-forwarded-for", "192.0.2.1"),
    ]
    assert Service(files, "caddy").ask("/authz", headers).status in (400, 500)


def test_the_viewers_address_stands_before_those_of_the_proxies(files: Files, signer: Signer) -> None:
    target = signer.sign_url(f"{SITE}/private/x", expires=timedelta(hours=1), ip="192.0.2.1").removeprefix(SITE)
    alone, behind = Service(files, "traefik"), Service(files, "traefik", proxies=1)
    assert alone.judge(target, ip="203.0.113.9, 192.0.2.1").status == 200
    assert alone.judge(target, ip="192.0.2.1, 203.0.113.9").status == 403
    assert behind.judge(target, ip="192.0.2.1, 203.0.113.9").status == 200
    assert behind.judge(target, ip="192.0.2.1, 198.51.100.1, 203.0.113.9").status == 403
    assert behind.judge(target, ip="192.0.2.1").status == 500


def test_health_and_paths_that_nobody_asks(files: Files) -> None:
    for front in FRONTS:
        service = Service(files, front)
        assert service.ask("/health", []).status == 200
        assert service.ask("/", []).status == 404
    assert Service(files, "envoy").ask("/authz", []).status == 404
    assert Service(files, "caddy").ask("/refusal", []).status == 404


def test_the_log_says_why_and_no_query_string(files: Files, target: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "keyfront.edge.authz")
    service = Service(files, "caddy")
    service.judge(target)
    assert caplog.messages == []
    service.judge(target.replace("/x", "/y"))
    line = f"192.0.2.1 GET {SITE}/private/y refused signature-mismatch {ID}"
    assert caplog.messages == [line]
    Service(files, "caddy", log="decisions").judge(target)
    assert caplog.messages[1:] == [f"192.0.2.1 GET {SITE}/private/x allowed allowed {ID}"]
    Service(files, "caddy", log="nothing").judge("/private/x")
    assert len(caplog.messages) == 2


def test_public_patterns_come_first_and_without_protected_ones_everything_is(public_key: Path) -> None:
    service = Service(Files([(ID, public_key)], public=["/public/*"]), "caddy")
    assert service.judge("/public/x").status == 200
    assert service.judge("/x").status == 403
    assert service.judge("/public/..%2fx").status == 403


def test_methods_that_write_are_let_in_where_they_may(public_key: Path, target: str) -> None:
    service = Service(Files([(ID, public_key)], methods=ALL_METHODS), "caddy")
    assert service.judge(target, method="POST").status == 200
    assert service.judge("/private/x", method="POST").status == 403


def test_a_folder_of_keys_is_followed_and_a_key_that_is_gone_is_not_trusted(
    public_key: Path, tmp_path: Path, target: str, caplog: pytest.LogCaptureFixture
) -> None:
    files, door = Files(directory=tmp_path), Door(distribution_id=FILES, any_host=True)
    with pytest.raises(InputError, match="no key is trusted"):
        Rules(files.read, door, seconds=1)
    (tmp_path / f"{ID}.pem").write_text(public_key.read_text())
    rules = Rules(files.read, door, seconds=0.01)

    def trusted() -> list[str]:
        return list(rules.configuration.distributions[FILES].behaviors[-1].keys or {})

    assert (trusted(), rules.standing.ready) == ([ID], True)
    rules.start()
    try:
        (tmp_path / f"{ID}.pem").rename(tmp_path / "KOTHER.pem")
        wait_until(lambda: trusted() == ["KOTHER"])
        (tmp_path / "KOTHER.pem").write_text("junk")
        wait_until(lambda: trusted() == [] and not rules.standing.ready)
        (tmp_path / "KOTHER.pem").unlink()
        wait_until(lambda: "no key is trusted" in caplog.text)
        (tmp_path / f"{ID}.pem").write_text(public_key.read_text())
        wait_until(lambda: trusted() == [ID] and rules.standing.ready)
    finally:
        rules.stop()


def test_a_service_without_keys_refuses_everything_and_says_so(public_key: Path, tmp_path: Path, target: str) -> None:
    (tmp_path / f"{ID}.pem").write_text(public_key.read_text())
    service = Service(Files(directory=tmp_path), "caddy", refresh=0.01)
    assert service.judge(target).status == 200
    assert (service.ask("/readyz", []).status, service.ask("/readyz", []).body) == (200, b"ok\n")
    (tmp_path / f"{ID}.pem").unlink()
    with service.following():
        wait_until(lambda: service.ask("/readyz", []).status == 503)
        assert b"since they have no key" in service.ask("/readyz", []).body
        assert b"keyfront_authz_key_groups_without_keys 1\n" in service.ask("/metrics", []).body
        assert service.judge(target).status == 403


def test_rules_that_cannot_be_read_are_used_for_a_time_and_then_everything_is_refused(
    public_key: Path, target: str, caplog: pytest.LogCaptureFixture
) -> None:
    source = Files([(ID, public_key)], public=["/public/*"])
    faults: list[Exception] = []

    def read() -> Any:
        if faults:
            raise faults[0]
        return source.read()

    service = Service(source, "caddy", read=read, refresh=0.01, stale=0.5)
    with service.following():
        faults.append(ServiceError("the API does not answer"))
        wait_until(lambda: b"s old" in service.ask("/readyz", []).body)
        assert service.ask("/readyz", []).status == 200 or "everything is refused" in caplog.text
        faults[0] = RuntimeError("something else")
        wait_until(lambda: service.ask("/readyz", []).status == 503)
        assert service.judge(target).status == 503
        assert service.judge("/public/x").status == 503
        assert b"keyfront_authz_configuration_too_old 1\n" in service.ask("/metrics", []).body
        faults.clear()
        wait_until(lambda: service.ask("/readyz", []).status == 200)
        assert service.judge(target).status == 200
    assert "the API does not answer" in caplog.text
    assert "something else" in caplog.text
