"""The codec against botocore's own: what one writes, the other reads back, for every operation of the model."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from botocore.awsrequest import HeadersDict
from botocore.model import ListShape, OperationModel, Shape, StructureShape
from botocore.parsers import create_parser
from botocore.serialize import create_serializer
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from tests.examples import examples

from keyfront.local.controlplane import APIResponse, ControlPlane
from keyfront.local.controlplane.faults import APIError
from keyfront.local.controlplane.model import NAMESPACE, service_model
from keyfront.local.controlplane.plane import OPERATIONS
from keyfront.local.controlplane.reading import read
from keyfront.local.controlplane.routing import route
from keyfront.local.controlplane.writing import write, write_error

NAMES = sorted(service_model().operation_names)
PATIENT = settings(max_examples=examples(150), deadline=None, suppress_health_check=list(HealthCheck))

# Every character that XML can carry, but for the carriage return: botocore's serializer does not keep it.
CHARACTERS = st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff")
TEXT = st.text(CHARACTERS | st.sampled_from("\t\n<&>\"'"), max_size=8)
HEADER = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=8)
LABEL = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
MOMENT = st.integers(0, 4_000_000_000_000).map(lambda ms: datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=ms))
NUMBER = st.floats(allow_nan=False, allow_infinity=False)
SCALARS: Mapping[str, SearchStrategy[Any]] = {
    "string": TEXT,
    "integer": st.integers(-(2**31), 2**31 - 1),
    "long": st.integers(-(2**63), 2**63 - 1),
    "float": NUMBER,
    "double": NUMBER,
    "boolean": st.booleans(),
    "timestamp": MOMENT,
    "blob": st.binary(max_size=12),
}
LOCATED = {"header": HEADER, "uri": LABEL, "querystring": LABEL}


def values(shape: Shape) -> SearchStrategy[Any]:
    """Any value that fits the shape."""
    if isinstance(shape, StructureShape):
        members = {name: values(member) for name, member in shape.members.items()}
        required = {name: members.pop(name) for name in shape.required_members}
        return st.fixed_dictionaries(required, optional=members)
    if isinstance(shape, ListShape):
        return st.lists(values(shape.member), max_size=2)
    if shape.type_name == "string" and "location" in shape.serialization:
        return LOCATED[shape.serialization["location"]]
    return SCALARS[shape.type_name]


@PATIENT
@given(st.data())
def test_what_botocore_serializes_is_read_back(data: st.DataObject) -> None:
    operation = service_model().operation_model(data.draw(st.sampled_from(NAMES), label="operation"))
    shape = operation.input_shape
    parameters = data.draw(values(shape), label="input") if shape is not None else {}
    request = create_serializer("rest-xml", include_validation=False).serialize_to_request(parameters, operation)
    path, _, fixed = request["url_path"].partition("?")
    assume(".." not in path.split("/"))
    query = "&".join(part for part in (fixed, urlencode(request["query_string"])) if part)
    target = route(request["method"], path, query)
    assert target.operation.name == operation.name
    headers = {name.lower(): str(value) for name, value in request["headers"].items()}
    assert read(target, headers, request["body"] or b"") == parameters


def outputs(operation: OperationModel) -> SearchStrategy[dict[str, Any]]:
    """Any output of the operation, with a body where the body is one member alone: botocore never makes do without."""
    shape = operation.output_shape
    if shape is None:
        return st.just({})
    payload = shape.serialization.get("payload")
    body = {payload: values(shape.members[payload])} if payload else {}
    return st.builds(operator.or_, values(shape), st.fixed_dictionaries(body))


def parsed_by_botocore(response: APIResponse, operation: OperationModel | None = None) -> dict[str, Any]:
    """What a boto3 client makes of the response. It leaves a streamed body alone, which is then not `bytes`."""
    shape: Any = operation.output_shape if operation else None
    body = bytearray(response.body) if operation and operation.has_streaming_output else response.body
    headers = HeadersDict(dict(response.headers))
    answer = {"status_code": response.status, "headers": headers, "body": body, "context": {}}
    return dict(create_parser("rest-xml").parse(answer, shape))


@PATIENT
@given(st.data())
def test_what_we_write_botocore_parses_to_the_same(data: st.DataObject) -> None:
    operation = service_model().operation_model(data.draw(st.sampled_from(NAMES), label="operation"))
    output = data.draw(outputs(operation), label="output")
    parsed = parsed_by_botocore(write(operation, output, "request"), operation)
    assert parsed.pop("ResponseMetadata")["HTTPStatusCode"] == operation.http["responseCode"]
    assert parsed == output


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_an_error_is_parsed_by_botocore_whatever_its_message_holds(message: str) -> None:
    parsed = parsed_by_botocore(write_error(APIError("PublicKeyInUse", message), "the request"))
    assert parsed["Error"]["Code"] == "PublicKeyInUse"
    assert parsed["ResponseMetadata"]["RequestId"] == "the request"
    if message.isprintable():
        assert parsed["Error"]["Message"] == message


SHAPES = ("DistributionConfig", "Origins", "Origin", "CustomOriginConfig", "DefaultCacheBehavior", "CacheBehaviors")
MORE_SHAPES = ("Aliases", "TrustedKeyGroups", "ViewerCertificate", "Restrictions", "GeoRestriction", "PublicKeyConfig")
ELEMENTS = sorted(
    {"Origin", "CacheBehavior", "CNAME", "KeyGroup", "Method", "member", "Junk"}
    | {
        str(member.serialization.get("name", name))
        for shape in (service_model().shape_for(name) for name in SHAPES + MORE_SHAPES)
        if isinstance(shape, StructureShape)
        for name, member in shape.members.items()
    }
)


def _trees(inner: SearchStrategy[str]) -> SearchStrategy[str]:
    return st.builds(
        lambda name, children: f"<{name}>{''.join(children)}</{name}>",
        st.sampled_from(ELEMENTS),
        st.lists(inner, max_size=4),
    )


TREES = st.recursive(st.sampled_from(["", "1", "true", "0", "x", " ", "&amp;", "-1", "none"]), _trees, max_leaves=25)


@settings(max_examples=examples(250), deadline=None)
@given(children=st.lists(TREES, max_size=8), bare=st.none() | st.binary(max_size=40))
def test_no_body_breaks_the_control_plane(children: list[str], bare: bytes | None) -> None:
    plane = ControlPlane()
    body = bare if bare is not None else f"<DistributionConfig>{''.join(children)}</DistributionConfig>".encode()
    for method, path in (("POST", "/2020-05-31/distribution"), ("POST", "/2020-05-31/public-key")):
        response = plane.handle(method, path, "", {}, body)
        assert 400 <= response.status < 500, response.body


SEGMENTS = ["2020-05-31", "distribution", "public-key", "config", "tagging", "E0", "", "%2F", "%", "%FF"]


@settings(max_examples=examples(250), deadline=None)
@given(
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE", "HEAD", ""]),
    path=st.lists(st.sampled_from(SEGMENTS) | TEXT).map("/".join),
    query=TEXT,
    value=TEXT,
)
def test_no_request_breaks_the_control_plane(method: str, path: str, query: str, value: str) -> None:
    response = ControlPlane().handle(method, f"/{path}", query, {"If-Match": value, "Host": value}, b"")
    assert response.status != 500, response.body


def test_the_model_uses_nothing_that_the_codec_lacks() -> None:
    """Maps, flattened lists, attributes and header prefixes are other services': tell us when CloudFront begins."""
    shapes = [service_model().shape_for(name) for name in service_model().shape_names]
    assert not [shape.name for shape in shapes if shape.type_name == "map" or shape.serialization.get("flattened")]
    members = [m for shape in shapes if isinstance(shape, StructureShape) for m in shape.members.values()]
    assert not [m.name for m in members if m.serialization.get("xmlAttribute") or m.serialization.get("flattened")]
    assert {m.serialization.get("location") for m in members} == {None, "uri", "header", "querystring"}
    assert not [m.name for m in members if "timestampFormat" in m.serialization]


def test_every_operation_of_ours_is_one_of_the_model() -> None:
    assert OPERATIONS.keys() <= set(NAMES)


@pytest.mark.parametrize("name", sorted(set(NAMES) - OPERATIONS.keys()))
def test_an_operation_that_is_missing_says_so_by_name(name: str) -> None:
    http = service_model().operation_model(name).http
    path, _, query = http["requestUri"].replace("{", "").replace("}", "").partition("?")
    response = ControlPlane().handle(http["method"], path, query, {}, b"")
    assert response.status == 501
    assert f"<Code>NotImplemented</Code><Message>keyfront does not implement {name} yet.</Message>" in (
        response.body.decode()
    )


def test_an_answer_is_in_the_api_s_namespace() -> None:
    response = ControlPlane().handle("GET", "/2020-05-31/distribution", "", {}, b"")
    assert response.body.startswith(f'<?xml version="1.0"?>\n<DistributionList xmlns="{NAMESPACE}">'.encode())


@pytest.mark.parametrize(
    ("name", "output"),
    [
        ("GetPublicKey", {"PublicKey": {"Nonsense": 1}}),
        ("GetPublicKey", {"Nonsense": 1}),
        ("GetPublicKey", {"PublicKey": "text"}),
        ("GetPublicKey", {"PublicKey": {"Id": 1}}),
        ("GetPublicKey", {"PublicKey": {"CreatedTime": "now"}}),
        ("GetKeyGroup", {"KeyGroup": {"KeyGroupConfig": {"Items": "text"}}}),
        ("GetFunction", {"ETag": 5}),
    ],
)
def test_an_output_that_does_not_fit_its_shape_is_a_bug_that_shows(name: str, output: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        write(service_model().operation_model(name), output, "request")
