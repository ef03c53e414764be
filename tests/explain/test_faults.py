"""One fault at a time, put into links of every kind; and links without any."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.examples import examples

from keyfront.core.policy import LATEST

NOW = 1_790_000_000

_SEGMENT = st.text("abcXYZ019-_.~", min_size=1, max_size=8).filter(lambda text: text.strip(".") != "")
_PATH = st.lists(_SEGMENT, min_size=1, max_size=4).map(lambda parts: "/" + "/".join(parts))
_QUERY = st.lists(
    st.tuples(st.sampled_from(["v", "lang", "part", "q"]), st.text("abc019-_", min_size=1, max_size=6)),
    max_size=3,
    unique_by=lambda pair: pair[0],
).map(lambda pairs: "&".join(f"{name}={value}" for name, value in pairs))
_HOST = st.sampled_from(["d111111abcdef8.cloudfront.net", "media.example.com", "cdn.shop.example"])


@st.composite
def _links(draw: st.DrawFn) -> dict[str, Any]:
    """A link that is in order."""
    query = draw(_QUERY)
    url = f"https://{draw(_HOST)}{draw(_PATH)}" + (f"?{query}" if query else "")
    case: dict[str, Any] = {"url": url, "form": draw(st.sampled_from(["url", "cookies"]))}
    case["key"] = draw(st.sampled_from(["rsa", "ecdsa"]))
    case["expires"] = NOW + draw(st.integers(61, 10_000_000))
    if draw(st.booleans()):
        case["custom"] = True
        if draw(st.booleans()):
            case["starts"] = NOW - draw(st.integers(1, 10_000))
        if draw(st.booleans()):
            case |= {"network": "192.0.2.0/24", "ip": f"192.0.2.{draw(st.integers(0, 255))}"}
    if draw(st.booleans()):
        case |= {"hash": "SHA256", "set": {"Hash-Algorithm": "SHA256"}}
    return case


def _whole(case: Mapping[str, Any]) -> str:
    return str(case.get("signed", case["url"]))


def _milliseconds(case: dict[str, Any]) -> set[str]:
    case["expires"] *= 1000
    return {"expires-in-milliseconds"}


def _expired(case: dict[str, Any]) -> set[str]:
    case["expires"] = NOW - 500
    case.pop("starts", None)
    return {"expired"}


def _duration(case: dict[str, Any]) -> set[str]:
    case["expires"] = 3600
    case.pop("starts", None)
    return {"expires-is-a-duration"}


def _other_protocol(case: dict[str, Any]) -> set[str]:
    case["signed"] = case["url"].replace("https://", "http://")
    return {"protocol-differs"}


def _www(case: dict[str, Any]) -> set[str]:
    case["signed"] = case["url"].replace("https://", "https://www.")
    return {"www-differs"}


def _other_name(case: dict[str, Any]) -> set[str]:
    case["hosts"] = ["other.example.org"]
    scheme, _, rest = case["url"].partition("://")
    case["signed"] = f"{scheme}://other.example.org{rest[rest.index('/') :]}"
    return {"host-differs"}


def _origin(case: dict[str, Any]) -> set[str]:
    host = "files.s3.eu-west-1.amazonaws.com"
    case["origins"] = [host]
    scheme, _, rest = case["url"].partition("://")
    case["signed"] = f"{scheme}://{host}{rest[rest.index('/') :]}"
    return {"origin-host-signed"}


def _other_key(case: dict[str, Any]) -> set[str]:
    case["key"] = "other"
    case["id"] = "K2JCJMDEHXQW5F"
    return {"key-of-another-id"}


def _unknown_id(case: dict[str, Any]) -> set[str]:
    case["id"] = "KNOBODYKNOWSIT"
    return {"key-not-trusted"}


def _unset_id(case: dict[str, Any]) -> set[str]:
    case["id"] = "undefined"
    return {"key-pair-id-unset"}


def _access_key(case: dict[str, Any]) -> set[str]:
    case["id"] = "AKIAIOSFODNN7EXAMPLE"
    return {"key-pair-id-is-access-key"}


def _unnamed_hash(case: dict[str, Any]) -> set[str]:
    case["hash"] = "SHA1" if case.get("hash") else "SHA256"
    return {"hash-algorithm-differs"}


def _added(case: dict[str, Any]) -> set[str]:
    case["signed"] = case["url"]
    case["url"] += ("&" if "?" in case["url"] else "?") + "utm_source=mail"
    if case.get("custom") and "?" in case["signed"]:
        return {"resource-does-not-cover"}
    return {"query-added"}


def _line_end(case: dict[str, Any]) -> set[str]:
    case["signed_as"] = "{}\n"
    return {"policy-white-space-differs"}


def _spaces(case: dict[str, Any]) -> set[str]:
    case["signed_json"] = {}
    return {"policy-white-space-differs"}


def _encoded_signed(case: dict[str, Any]) -> set[str]:
    case["signed_form"] = "encoded"
    return {"encoded-policy-signed"}


def _hexadecimal(case: dict[str, Any]) -> set[str]:
    case |= {"encode": "hex", "encode_policy": "cloudfront"}
    return {"signature-in-hex"}


def _no_signature(case: dict[str, Any]) -> set[str]:
    case["drop"] = ["Signature"]
    return {"cookies-incomplete"} if case["form"] == "cookies" else {"signature-missing"}


def _no_id(case: dict[str, Any]) -> set[str]:
    case["drop"] = ["Key-Pair-Id"]
    return {"cookies-incomplete"} if case["form"] == "cookies" else {"key-pair-id-missing"}


def _wildcard(case: dict[str, Any]) -> set[str]:
    for name in ("custom", "starts", "network", "ip"):
        case.pop(name, None)
    url = case["url"].partition("?")[0]
    case["signed"] = f"{url.rpartition('/')[0]}/*"
    return {"wildcard-in-canned-policy"}


def _other_address(case: dict[str, Any]) -> set[str]:
    case |= {"custom": True, "network": "192.0.2.0/24", "ip": "203.0.113.9"}
    return {"address-not-in-range"}


def _over_ipv6(case: dict[str, Any]) -> set[str]:
    case |= {"custom": True, "network": "0.0.0.0/0", "ip": "2001:db8::1"}
    return {"viewer-over-ipv6"}


def _later(case: dict[str, Any]) -> set[str]:
    case |= {"starts": NOW + 20_000, "expires": NOW + 40_000}
    return {"not-yet-valid"}


def _too_late(case: dict[str, Any]) -> set[str]:
    case["expires"] = LATEST + 1
    return {"expires-too-late"}


_FAULTS = [
    value for name, value in list(globals().items()) if name.startswith("_") and name not in ("_links", "_whole")
]
_FAULTS = [
    each for each in _FAULTS if callable(each) and getattr(each, "__annotations__", {}).get("return") == set[str]
]
_SETTINGS = settings(
    deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def test_a_single_fault_is_explained(bench: Any) -> None:
    right, seen = 0, 0
    wrong: list[str] = []

    @settings(_SETTINGS, max_examples=examples(500))
    @given(_links(), st.sampled_from(_FAULTS))
    def explained(case: dict[str, Any], fault: Any) -> None:
        nonlocal right, seen
        expected = fault(case)
        report = bench.explain(case)
        seen += 1
        assert report.verdict.outcome == "refused", case
        certain = [f.id for f in report.findings if f.severity == "error" and f.certainty == "certain"]
        assert set(certain) <= expected, (certain, expected, case)  # never sure of what is not so
        if report.first is not None and report.first.id in expected:
            right += 1
        else:
            wrong.append(f"{fault.__name__}: {report.first and report.first.id}")

    explained()
    assert seen >= examples(500)
    assert right >= 0.99 * seen, wrong


def test_a_link_that_is_in_order_is_never_blamed(bench: Any) -> None:
    @settings(_SETTINGS, max_examples=examples(150))
    @given(_links())
    def blamed(case: dict[str, Any]) -> None:
        report = bench.explain(case)
        assert report.verdict.outcome == "allowed"
        assert [finding.id for finding in report.findings if finding.severity != "note"] == []
        without_keys = bench.explain({**case, "trusted": "unknown"})
        assert without_keys.verdict.outcome == "unknown"
        assert [finding.id for finding in without_keys.findings if finding.severity != "note"] == []

    blamed()


@pytest.mark.parametrize("fault", _FAULTS, ids=lambda fault: fault.__name__.strip("_"))
def test_each_fault_is_told_from_a_plain_link(bench: Any, fault: Any) -> None:
    case: dict[str, Any] = {"url": "https://media.example.com/a/b.png", "form": "url", "expires": NOW + 3600}
    expected = fault(case)
    report = bench.explain(case)
    assert report.first is not None
    assert report.first.id in expected
