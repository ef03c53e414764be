"""Whatever a function returns: it is used, or it fails with a text for the viewer. Nothing else."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyfront.edge.configuration import configure
from keyfront.edge.functions import lambda_events
from keyfront.edge.functions.events import changed_request, changed_response, generated, request_shown, response_shown
from keyfront.edge.functions.failures import FunctionFailedError
from keyfront.edge.functions.headers import Fields
from keyfront.edge.functions.isolate import Isolate
from keyfront.edge.functions.multi_values import pairs
from keyfront.edge.functions.origins import towards
from keyfront.edge.request.viewer import Request
from keyfront.inventory import CacheBehavior, CustomOrigin, Distribution, FunctionAssociation, Inventory, Origin

NAMES = ("uri", "method", "headers", "querystring", "cookies", "statusCode", "status", "body", "value", "multiValue")
MORE = ("host", "x-a", "via", "data", "encoding", "attributes", "key", "custom", "s3", "domainName", "path", "port")
ORIGIN = (
    "customHeaders",
    "originPath",
    "timeouts",
    "customOriginConfig",
    "protocol",
    "originIds",
    "originId",
    "select",
)
WORDS = (
    "/a",
    "GET",
    "text",
    "base64",
    "200",
    "http",
    "example.com",
    "a\r\nb: c",
    "<b>",
    "\ud800",
    "é",
    "a b",
    "/a?b#c",
)
TEXTS = st.sampled_from(WORDS) | st.text(max_size=6)
LEAVES = st.none() | st.booleans() | st.sampled_from((200, 204, 80, -1, 1.5, 10**30)) | TEXTS
KEYS = st.sampled_from((*NAMES, *MORE, *ORIGIN, "update", "group")) | st.text(max_size=4)
VALUES = st.recursive(
    LEAVES, lambda each: st.lists(each, max_size=3) | st.dictionaries(KEYS, each, max_size=5), max_leaves=14
)
OBJECTS = st.dictionaries(KEYS, VALUES, max_size=6)
LINE = re.compile(rb"[^\r\n\0]*")


def viewer() -> Request:
    headers = [(b"host", b"d1.example"), (b"accept", b"*/*"), (b"cookie", b"a=1; b=2"), (b"cloudfront-x", b"1")]
    scope = {"method": "GET", "scheme": "https", "http_version": "1.1", "raw_path": b"/a", "query_string": b"x=1"}
    return Request({**scope, "client": ("127.0.0.1", 1), "headers": headers})


def clean(headers: list[tuple[bytes, bytes]]) -> bool:
    return all(LINE.fullmatch(name) and LINE.fullmatch(value) for name, value in headers)


ORIGINS = (
    Origin("web", "web.example", custom=CustomOrigin()),
    Origin("bucket", "b.s3.us-east-1.amazonaws.com", access_control="E1"),
)
FUNCTION = FunctionAssociation("viewer-request", "arn:aws:cloudfront::1:function/f")
BEHAVIOR = CacheBehavior("*", "web", cache_policy_id="658327ea-f89d-4fab-a63d-7e88639e58f6", associations=(FUNCTION,))
ACCOUNT = Inventory((Distribution("E1", "d1.example", BEHAVIOR, origins=ORIGINS),), functions={})
READY = configure(ACCOUNT).distributions["E1"].behaviors[0]
TARGETS = READY.functions.targets if READY.functions else {}


def outcome(use: Callable[[], Any]) -> Any:
    """What `use` returns, or `None` if it refuses the result. Any other exception is a fault."""
    try:
        return use()
    except FunctionFailedError:
        return None


@settings(max_examples=50, deadline=None)
@given(OBJECTS, OBJECTS)
def test_a_viewer_request_is_changed_or_refused(value: dict[str, Any], headers: dict[str, Any]) -> None:
    asked = viewer()
    before = request_shown(asked)
    for each in (value, {**before, **value}, {**before, "headers": {**before["headers"], **headers}}):
        changed = outcome(partial(changed_request, asked, before, each))
        if changed is not None:
            assert changed.host == asked.host
            assert changed.path.startswith("/")
            assert clean(changed.headers)


TOUCH = """function handler(event) {
  for (const part in {querystring: 1, headers: 1, cookies: 1})
    Object.keys(event[part]).forEach(name => {
      const one = event[part][name];
      event[part][name] = one.multiValue ? {multiValue: one.multiValue.slice()} : {value: one.value};
    });
  event.headers['x-touched'] = {value: '1'};
  return event;
}"""
ISOLATE = Isolate(TOUCH, "cloudfront-js-2.0", None)
ASCII = st.text("abc=&%/?+;, \t\"'\\{}[]:_-.~", max_size=12)
SENT = st.lists(st.tuples(st.sampled_from((b"accept", b"x-a", b"x-proto", b"__proto__", b"constructor")), st.binary()))


@settings(max_examples=60, deadline=None)
@given(ASCII, ASCII, SENT)
def test_a_request_survives_a_function_that_writes_it_anew(query: str, cookie: str, sent: Any) -> None:
    query = re.sub(r"[\s\"]", "", query)
    headers = [(name, re.sub(rb"[\x00-\x08\x0a-\x1f\x7f]", b"", value)) for name, value in sent]
    asked = viewer()
    asked = asked.with_target("/a%20b", query, [(b"host", b"d1.example"), *headers, (b"cookie", cookie.encode())])
    before = request_shown(asked)

    value = json.loads(ISOLATE.run(json.dumps(before)))["value"]
    changed = changed_request(asked, before, value)

    assert (changed.path, changed.host) == (asked.path, asked.host)
    wanted = Counter(each for each in pairs(query, "&"))
    assert Counter(pairs(changed.query, "&")) == wanted
    assert Counter(changed.headers) == Counter([*asked.headers, (b"x-touched", b"1")])


@settings(max_examples=50, deadline=None)
@given(OBJECTS)
def test_a_response_is_made_or_refused(value: dict[str, Any]) -> None:
    headers = [(b"content-length", b"1"), (b"via", b"x"), (b"set-cookie", b"a=1; Path=/")]
    shown = response_shown(200, headers)
    for each in ({"statusCode": 200, **value}, {**shown, **value}):
        made = outcome(partial(generated, each))
        assert made is None or clean(made.headers)
        changed = outcome(partial(changed_response, headers, shown, each))
        assert changed is None or clean(changed[1])


@settings(max_examples=50, deadline=None)
@given(OBJECTS, st.sampled_from(("update", "group", "select")))
def test_an_origin_is_chosen_or_refused(value: dict[str, Any], kind: str) -> None:
    chosen = outcome(partial(towards, READY, TARGETS, {kind: value}))
    if chosen is not None:
        assert clean([(name.encode(), text.encode()) for name, text in chosen.origin.custom_headers])


@settings(max_examples=50, deadline=None)
@given(OBJECTS)
def test_a_result_of_lambda_is_used_or_refused(value: dict[str, Any]) -> None:
    before = Fields({"host": ("d1.example",)})
    read = lambda_events.result_of(json.dumps(value).encode())
    outcome(partial(lambda_events.target_of, read))
    outcome(partial(lambda_events.status_of, read))
    for kind in ("viewer-request", "origin-request", "origin-response"):
        outcome(partial(lambda_events.response_body, read, before, kind))
    outcome(partial(lambda_events.request_body, read, 100))
    fields = outcome(partial(lambda_events.fields_of, read, before, "viewer-request"))
    assert fields is None or clean(fields.written([]))
    for shown in (read, {"custom": read}, {"s3": read}):
        origin = outcome(partial(lambda_events.changed_origin, ORIGINS[0], shown))
        if origin is not None:
            assert clean([(name.encode(), text.encode("latin-1")) for name, text in origin.custom_headers])


@pytest.mark.parametrize("name", ["transfer-encoding", "Host", "content-length", "X-Edge-A", "a b", "a\r\nb"])
def test_a_custom_header_that_would_change_the_message_is_refused(name: str) -> None:
    origin = lambda_events.origin_shown(ORIGINS[0])["custom"]
    shown = {"custom": {**origin, "customHeaders": {name: [{"value": "chunked"}]}}}
    with pytest.raises(FunctionFailedError, match="custom header"):
        lambda_events.changed_origin(ORIGINS[0], shown)
    with pytest.raises(FunctionFailedError, match="custom header"):
        towards(READY, TARGETS, {"update": {"customHeaders": {name: "chunked"}}})
