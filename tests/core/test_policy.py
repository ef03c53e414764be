"""Policies: canonical bytes out, any legal JSON in, one meaning for every time, and a reason for every refusal."""

import json
import tomllib
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.examples import examples

from keyfront import Policy
from keyfront.core.policy import LATEST, Moment, canonical, epoch, validity
from keyfront.errors import PolicyError, URLError

NOW = 1_900_000_000
URL = "https://d111111abcdef8.cloudfront.net/game_download.zip"

SECONDS = st.integers(0, LATEST)
NETWORKS = st.ip_addresses(v=4).map(lambda address: f"{address}/32") | st.sampled_from(
    ["0.0.0.0/0", "10.0.0.0/8", "192.0.2.0/24", "192.0.2.128/25"]
)
POLICIES = st.builds(
    Policy,
    resource=st.none() | st.text(min_size=1, max_size=60),
    expires=SECONDS,
    starts=st.none() | SECONDS,
    ip=st.none() | NETWORKS,
)


# Bytes out


def test_a_canned_policy_is_cloudfronts_to_the_byte() -> None:
    assert Policy.canned(URL, expires=1_925_159_200, now=NOW).to_bytes() == (
        b'{"Statement":[{"Resource":"https://d111111abcdef8.cloudfront.net/game_download.zip",'
        b'"Condition":{"DateLessThan":{"AWS:EpochTime":1925159200}}}]}'
    )


def test_a_custom_policy_has_no_white_space() -> None:
    policy = Policy.custom(
        "https://d111111abcdef8.cloudfront.net/training/*",
        expires=1_925_159_200,
        starts=1_925_000_000,
        ip="192.0.2.0/24",
        now=NOW,
    )
    assert policy.to_bytes() == (
        b'{"Statement":[{"Resource":"https://d111111abcdef8.cloudfront.net/training/*","Condition":{'
        b'"DateLessThan":{"AWS:EpochTime":1925159200},"IpAddress":{"AWS:SourceIp":"192.0.2.0/24"},'
        b'"DateGreaterThan":{"AWS:EpochTime":1925000000}}}]}'
    )


def test_the_query_strings_question_mark_is_written_bare() -> None:
    for resource in (URL + "?a=b", URL + r"\?a=b"):
        policy = Policy.custom(resource, expires=NOW + 1, starts=0, now=NOW)
        assert policy.resource == URL + "?a=b"
        assert b"zip?a=b" in policy.to_bytes()


def test_a_custom_policy_without_a_resource_has_no_such_member() -> None:
    policy = Policy.custom(None, expires=NOW + 1, now=NOW)
    assert policy.to_bytes() == b'{"Statement":[{"Condition":{"DateLessThan":{"AWS:EpochTime":1900000001}}}]}'


@settings(deadline=None)
@given(POLICIES)
def test_what_is_written_parses_to_the_same_policy(policy: Policy) -> None:
    data = policy.to_bytes()
    assert Policy.parse(data) == policy
    assert Policy.parse(data).to_bytes() == data
    assert data.isascii()
    assert json.dumps(json.loads(data), separators=(",", ":")).encode() == data


@given(
    st.text(alphabet='a*/:?"\\\x00\x7f\x1fü', max_size=4),
    st.integers(-1, 10**10),
    st.none() | st.integers(-1, 10**10),
    st.none() | st.sampled_from(["0.0.0.0/0", "192.0.2.1/24", "192.0.2.1", "1.2.3", "", "192.0.2.7/032", "::/0"]),
)
def test_a_policy_as_sdks_write_it_is_read_as_the_same_json_with_a_space(
    resource: str, expires: int, starts: int | None, ip: str | None
) -> None:
    written = canonical(resource, expires, starts, ip)

    def read(data: bytes) -> object:
        try:
            return Policy.parse(data)
        except PolicyError as error:
            return str(error), error.reason, error.member

    assert read(written) == read(written + b" ")


@given(st.text(min_size=1, max_size=40) | st.text(alphabet='"\\{}ü', min_size=1, max_size=6), SECONDS)
@example('a"}}]}', 1)
@example('a","Condition":{}', 1)
def test_no_url_breaks_out_of_the_json(url: str, expires: int) -> None:
    document = json.loads(Policy(url, expires).to_bytes())
    assert document == {"Statement": [{"Resource": url, "Condition": {"DateLessThan": {"AWS:EpochTime": expires}}}]}


# JSON in

GUIDE = tomllib.loads((Path(__file__).parent / "data" / "guide_policies.toml").read_text())


@pytest.mark.parametrize(
    ("text", "policy"),
    [
        (GUIDE["one_file"], Policy(URL, 1675159200, ip="192.0.2.0/24")),
        (GUIDE["everything"], Policy("https://*", 1675332000, 1675159200, "192.0.2.10/32")),
        (
            GUIDE["in_a_url"],
            Policy("http://dzbesqm7un1m0.cloudfront.net/demo.php", 1296860226, 1296860176, "207.171.180.101/32"),
        ),
        # Statement as an object; the members in another order; a tab, a newline at the end.
        ('{"Statement":{"Condition":{"DateLessThan":{"AWS:EpochTime":5}},"Resource":"*"}}', Policy("*", 5)),
        ('\t{"Statement":[{"Resource":"*","Condition":{"DateLessThan":{"AWS:EpochTime":5}}}]}\n', Policy("*", 5)),
        # As JavaScript, PHP and Go write it: the order of their options; an address for a range; escapes.
        (
            (
                '{"Statement":[{"Resource":"*","Condition":{"DateGreaterThan":{"AWS:EpochTime":1},'
                '"DateLessThan":{"AWS:EpochTime":5},"IpAddress":{"AWS:SourceIp":"192.0.2.10"}}}]}'
            ),
            Policy("*", 5, 1, "192.0.2.10/32"),
        ),
        (
            (
                '{"Statement":[{"Resource":"https:\\/\\/example.com\\/a?b\\u0026c","Condition":'
                '{"DateLessThan":{"AWS:EpochTime":5}}}]}'
            ),
            Policy("https://example.com/a?b&c", 5),
        ),
        (
            '{"Statement":[{"Resource":"https://example.com/a\\\\?b","Condition":{"DateLessThan":{"AWS:EpochTime":5}}}]}',
            Policy(r"https://example.com/a\?b", 5),
        ),
        # No Resource: every URL that trusts the key.
        ('{"Statement":[{"Condition":{"DateLessThan":{"AWS:EpochTime":5}}}]}', Policy(None, 5)),
        ('{"Statement":[{"Resource":"ü","Condition":{"DateLessThan":{"AWS:EpochTime":0}}}]}', Policy("ü", 0)),
        (f'{{"Statement":[{{"Condition":{{"DateLessThan":{{"AWS:EpochTime":{LATEST}}}}}}}]}}', Policy(None, LATEST)),
    ],
)
def test_a_policy_is_read_in_any_form_that_is_legal(text: str, policy: Policy) -> None:
    assert Policy.parse(text.encode()) == policy


def document(**members: Any) -> dict[str, Any]:
    condition = {"DateLessThan": {"AWS:EpochTime": 5}, **members.pop("condition", {})}
    return {"Statement": [{"Resource": "*", "Condition": condition, **members}]}


@pytest.mark.parametrize(
    ("malformed", "says"),
    [
        (b"", "not JSON"),
        (b"\xff\xfe", "not UTF-8"),
        (b"null", "not an object"),
        (b"[]", "not an object"),
        (b"{", "not JSON"),
        (b"{}", "no Statement"),
        (b"{'Statement':[]}", "not JSON"),
        (b"\xef\xbb\xbf{}", "not JSON"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"Statement":[]}', "0 statements"),
        (b'{"Statement":[{},{}]}', "2 statements"),
        (b'{"Statement":"x"}', "Statement is not an object"),
        (b'{"Statement":[[]]}', "Statement is not an object"),
        (b'{"Statement":[{"Resource":"*"}]}', "no Condition"),
        (b'{"Statement":[{"Resource":"*","Condition":{}}]}', "no DateLessThan"),
        (b'{"Statement":[{"Resource":"*","Condition":{"DateGreaterThan":{"AWS:EpochTime":1}}}]}', "no DateLessThan"),
        (b'{"Statement":[{"Resource":"*","Condition":{"DateLessThan":{}}}]}', "no AWS:EpochTime"),
        (b'{"Statement":[{"Resource":"*","Condition":{"DateLessThan":5}}]}', "DateLessThan is not an object"),
        (b'{"Statement":[{"Condition":{"DateLessThan":{"AWS:EpochTime":1,"AWS:EpochTime":9}}}]}', "a member twice"),
        (b'{"Statement":[{"Resource":"a","Resource":"b","Condition":{}}]}', "a member twice"),
        (document(Resource=None), "Resource is not text"),
        (document(Resource=["*"]), "Resource is not text"),
        (document(Resource=""), "Resource is empty"),
        (document(condition={"DateLessThan": {"AWS:EpochTime": "5"}}), "not an integer"),
        (document(condition={"DateLessThan": {"AWS:EpochTime": 5.0}}), "not an integer"),
        (document(condition={"DateLessThan": {"AWS:EpochTime": True}}), "not an integer"),
        (document(condition={"DateLessThan": {"AWS:EpochTime": None}}), "not an integer"),
        (document(condition={"DateLessThan": {"AWS:EpochTime": float("nan")}}), "not an integer"),
        (document(condition={"DateLessThan": {"AWS:EpochTime": -1}}), "DateLessThan is -1"),
        (document(condition={"DateLessThan": {"AWS:EpochTime": LATEST + 1}}), "go to 9223372036"),
        (document(condition={"DateLessThan": {"AWS:EpochTime": 1_900_000_000_000}}), "looks like milliseconds"),
        (b'{"Statement":[{"Condition":{"DateLessThan":{"AWS:EpochTime":1e400}}}]}', "not an integer"),
        (b'{"Statement":[{"Condition":{"DateLessThan":{"AWS:EpochTime":' + b"9" * 50 + b"}}}]}", "more than 38 digits"),
        (b'{"Statement":[{"Condition":{"DateLessThan":{"AWS:EpochTime":' + b"9" * 5000 + b"}}}]}", "not JSON"),
        (document(condition={"DateGreaterThan": {"AWS:EpochTime": "1"}}), "DateGreaterThan is not an integer"),
        (document(condition={"DateGreaterThan": {}}), "DateGreaterThan has no"),
        (document(condition={"IpAddress": {}}), "IpAddress has no AWS:SourceIp"),
        (document(condition={"IpAddress": {"AWS:SourceIp": ["192.0.2.1"]}}), "exactly one IPv4"),
        (document(condition={"IpAddress": {"AWS:SourceIp": "2001:db8::/32"}}), "IPv4 only"),
        (document(condition={"IpAddress": {"AWS:SourceIp": "192.0.2.0/33"}}), "not an IPv4 address or range"),
        (document(condition={"IpAddress": {"AWS:SourceIp": "192.0.2.7/24"}}), "write 192.0.2.0/24"),
        (document(condition={"IpAddress": {"AWS:SourceIp": "192.0.2"}}), "one IPv4 address"),
        (document(condition={"IpAddress": {"AWS:SourceIp": "*"}}), "one IPv4 address"),
        (document(condition={"IpAddress": {"AWS:SourceIp": "192.0.2.1,192.0.2.2"}}), "one IPv4 address"),
        (document(condition={"IpAddress": {"AWS:SourceIp": "１９２.0.2.1"}}), "one IPv4 address"),
        # As IAM's policies are written: assumed malformed, rather than ignored.
        (document(Effect="Allow"), "'Effect'"),
        (document(Action="s3:GetObject"), "'Action'"),
        (document(Principal="*"), "'Principal'"),
        ({"Version": "2012-10-17", **document()}, "'Version'"),
        ({"Id": "x", **document()}, "'Id'"),
        (document(condition={"StringEquals": {"aws:Referer": "x"}}), "'StringEquals'"),
        (document(condition={"NotIpAddress": {"AWS:SourceIp": "192.0.2.1"}}), "'NotIpAddress'"),
        (document(condition={"DateLessThan": {"AWS:EpochTime": 5, "aws:CurrentTime": "x"}}), "'aws:CurrentTime'"),
        ({"statement": []}, "no Statement"),
    ],
)
def test_a_malformed_policy_is_refused_saying_what_is_wrong(malformed: bytes | dict[str, Any], says: str) -> None:
    data = malformed if isinstance(malformed, bytes) else json.dumps(malformed).encode()
    with pytest.raises(PolicyError) as refused:
        Policy.parse(data)
    assert says in str(refused.value)
    assert len(str(refused.value)) < 300


NAMES = st.sampled_from(
    [
        "Statement",
        "Resource",
        "Condition",
        "DateLessThan",
        "DateGreaterThan",
        "IpAddress",
        "AWS:EpochTime",
        "AWS:SourceIp",
    ]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just("192.0.2.0/24"),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES | st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


@settings(deadline=None)
@given(st.binary(max_size=120) | st.text(max_size=120).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_no_bytes_make_parsing_raise_anything_but_our_own_error(data: bytes) -> None:
    with pytest.raises(PolicyError):
        Policy.parse(data)


@settings(deadline=None, max_examples=examples(300))
@given(json=JSON, place=st.integers(0, 4))
def test_no_json_in_any_place_of_a_policy_makes_parsing_raise_anything_but_our_own_error(json: Any, place: int) -> None:
    malformed = [
        json,
        {"Statement": json},
        {"Statement": [json]},
        {"Statement": [{"Resource": "*", "Condition": json}]},
        document(condition={"DateGreaterThan": json, "IpAddress": json}),
    ][place]
    try:
        parsed = Policy.parse(_dumped(malformed))
    except PolicyError:
        return
    assert Policy.parse(parsed.to_bytes()) == parsed


def _dumped(value: Any) -> bytes:
    return json.dumps(value).encode()


# Times


@pytest.mark.parametrize(
    ("moment", "seconds"),
    [
        (1_900_000_001, 1_900_000_001),
        (1_900_000_001.9, 1_900_000_001),
        (0, 0),
        (LATEST, LATEST),
        (timedelta(hours=1), NOW + 3600),
        (timedelta(milliseconds=1500), NOW + 1),
        (datetime(2030, 1, 1, tzinfo=UTC), 1_893_456_000),
        (datetime(2030, 1, 1, 0, 0, 0, 999_999, tzinfo=UTC), 1_893_456_000),
        (datetime(2030, 1, 1, 2, tzinfo=timezone(timedelta(hours=2))), 1_893_456_000),
        (datetime(2030, 7, 1, 2, tzinfo=ZoneInfo("Europe/Berlin")), 1_909_094_400),
        (datetime(2262, 4, 11, tzinfo=UTC), 9_223_286_400),
        (datetime(2039, 1, 1, tzinfo=UTC), 2_177_452_800),
    ],
)
def test_every_kind_of_time_has_one_meaning(moment: Moment, seconds: int) -> None:
    assert epoch(moment, NOW) == seconds


@pytest.mark.parametrize(
    ("moment", "says"),
    [
        (datetime(2030, 1, 1), "2030-01-01T00:00:00 without a time zone"),  # noqa: DTZ001
        (NOW * 1000, "milliseconds: divide by 1000"),
        (float(NOW * 1000), "milliseconds: divide by 1000"),
        (NOW * 1_000_000, "past the last second"),
        (LATEST + 1, "past the last second"),
        (10**400, "more than 38 digits"),
        (-(10**400), "after 1970"),
        (float("inf"), "past the last second"),
        (float("-inf"), "after 1970"),
        (float("nan"), "after 1970"),
        (-1, "after 1970"),
        (timedelta(seconds=-NOW - 1), "after 1970"),
        (timedelta.max, "past the last second"),
        (datetime(2263, 1, 1, tzinfo=UTC), "past the last second"),
        (datetime(1, 1, 1, tzinfo=UTC), "after 1970"),
        (datetime.max.replace(tzinfo=UTC), "past the last second"),
        (True, "is a bool"),
        ("2030-01-01", "is a str"),
        (None, "is a NoneType"),
    ],
)
def test_a_time_with_no_meaning_or_two_is_refused_saying_why(moment: Any, says: str) -> None:
    with pytest.raises(PolicyError) as refused:
        epoch(moment, NOW, "expires")
    assert says in str(refused.value)
    assert str(refused.value).startswith("expires is ")


@pytest.mark.parametrize("moment", [timedelta(days=100_000), datetime(2300, 1, 1, tzinfo=UTC)])
def test_only_a_number_is_taken_for_milliseconds(moment: Moment) -> None:
    with pytest.raises(PolicyError) as refused:
        epoch(moment, NOW)
    assert "milliseconds" not in str(refused.value)


@pytest.mark.parametrize(
    ("expires", "starts", "says"),
    [
        (NOW, None, "which is now"),
        (NOW - 1, None, "2030-03-17T17:46:39Z, which is 0:00:01 ago: choose a time in the future"),
        (timedelta(seconds=-60), None, "0:01:00 ago"),
        (datetime(2020, 1, 1, tzinfo=UTC), None, "expires is 2020-01-01T00:00:00Z"),
        (NOW + 10, NOW + 10, "starts (2030-03-17T17:46:50Z) is not before expires (2030-03-17T17:46:50Z)"),
        (NOW + 10, timedelta(hours=1), "is not before expires"),
        (NOW + 10, datetime(2030, 1, 1), "starts is 2030-01-01T00:00:00 without a time zone"),  # noqa: DTZ001
        (NOW + 10, NOW * 1000, "starts is 1900000000000"),
    ],
)
def test_a_time_in_which_nobody_could_ask_is_refused(expires: Moment, starts: Moment | None, says: str) -> None:
    with pytest.raises(PolicyError) as refused:
        validity(expires, starts, NOW)
    assert says in str(refused.value)


def test_a_start_in_the_past_is_fine() -> None:
    assert validity(NOW + 10, NOW - 10, NOW) == (NOW + 10, NOW - 10)
    assert validity(timedelta(seconds=10), timedelta(0), NOW + 0.5) == (NOW + 10, NOW)


# Values


@pytest.mark.parametrize(
    ("members", "says"),
    [
        ({"expires": datetime(2030, 1, 1, tzinfo=UTC)}, "not an integer"),
        ({"expires": NOW * 1000}, "milliseconds"),
        ({"expires": 5, "starts": "4"}, "DateGreaterThan is not an integer"),
        ({"expires": 5, "ip": "192.0.2.10"}, "in CIDR form it is 192.0.2.10/32"),
        ({"expires": 5, "ip": "::1"}, "IPv4 only"),
        ({"expires": 5, "resource": ""}, "Resource is empty"),
    ],
)
def test_no_policy_exists_that_cloudfront_would_call_malformed(members: dict[str, Any], says: str) -> None:
    with pytest.raises(PolicyError) as refused:
        Policy(**{"resource": "*", **members})
    assert says in str(refused.value)


def test_a_policy_is_made_with_the_checks_that_a_signer_has() -> None:
    with pytest.raises(URLError, match="no scheme"):
        Policy.canned("example.com/a", expires=NOW + 1, now=NOW)
    with pytest.raises(URLError, match="no scheme"):
        Policy.custom("example.com/*", expires=NOW + 1, now=NOW)
    with pytest.raises(PolicyError, match="IPv4 only"):
        Policy.custom("*", expires=NOW + 1, ip="::/0", now=NOW)
    with pytest.raises(PolicyError, match="choose a time in the future"):
        Policy.canned(URL, expires=timedelta(seconds=-1), now=NOW)


def test_an_asterisk_in_a_canned_policy_is_a_literal() -> None:
    assert Policy.canned("https://example.com/a*", expires=NOW + 1, now=NOW).resource == "https://example.com/a*"
