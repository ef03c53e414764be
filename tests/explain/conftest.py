"""A bench on which links are made wrong on purpose: what was signed, what is sent and what is asked are set apart."""

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from tests.keys import shared_rsa

from keyfront.core import encoding
from keyfront.core.keys import SigningKey
from keyfront.core.verification import ViewerRequest
from keyfront.explain import Report, Response, explain, from_inventory
from keyfront.explain.inputs.links import read
from keyfront.inventory import Inventory, KeyGroup, TrustedKey, parse_distribution

NOW = 1_790_000_000
ID = "K2JCJMDEHXQW5F"
ECDSA_ID = "K3ECDSA0000001"
OTHER_ID = "K1OTHER0000001"

_ENCODERS: Mapping[str, Callable[[bytes], str]] = {
    "cloudfront": encoding.encode,
    "standard": lambda data: base64.b64encode(data).decode(),
    "standard-quoted": lambda data: quote(base64.b64encode(data).decode(), safe=""),
    "plus-as-space": lambda data: base64.b64encode(data).decode().replace("+", "%20"),
    "url-safe": lambda data: base64.urlsafe_b64encode(data).decode().rstrip("="),
    "hex": bytes.hex,
    "none": lambda data: quote(data.decode("latin-1"), safe=""),
    "twice": lambda data: quote(quote(base64.b64encode(data).decode(), safe=""), safe=""),
}


@dataclass(frozen=True)
class Keys:
    """The keys of the bench, by id; and one that is nobody's."""

    by_id: Mapping[str, SigningKey]
    stranger: SigningKey

    def of(self, name: str) -> SigningKey:
        names = {"rsa": ID, "ecdsa": ECDSA_ID, "other": OTHER_ID}
        return self.stranger if name == "stranger" else self.by_id[names[name]]


@dataclass(frozen=True)
class Bench:
    """Cases as data become requests, and requests reports."""

    keys: Keys
    distributions: Mapping[str, Any]

    def explain(self, case: Mapping[str, Any]) -> Report:
        return explain(**self.arguments(case))

    def arguments(self, case: Mapping[str, Any]) -> dict[str, Any]:
        """What `explain` takes, for a case as it stands in the corpus."""
        asked, cookie = self._request(case)
        arguments: dict[str, Any] = {
            "request": ViewerRequest(asked, cookie, case.get("ip", "")),
            "now": float(case.get("now", NOW)),
            "method": case.get("method", ""),
            "hosts": case.get("hosts", ()),
            "origins": case.get("origins", ()),
            "headers": case.get("headers", {}),
            "country": case.get("country", ""),
        }
        if "pasted" in case:
            link = read(case["pasted"].replace("{}", asked))
            arguments |= {"request": ViewerRequest(link.url, cookie), "pasted": link}
        trusted = case.get("trusted", [ID, ECDSA_ID, OTHER_ID])
        if trusted != "unknown":
            arguments["trusted_keys"] = {key_id: self.keys.by_id[key_id].public_key for key_id in trusted}
        if "offered" in case:
            arguments["offered_keys"] = {"in private_key.pem": self.keys.of(case["offered"]).public_key}
        if "distribution" in case:
            arguments["distribution"] = self._distribution(case["distribution"], case.get("settings", {}))
            arguments.pop("trusted_keys", None)
        if "response" in case:
            given = case["response"]
            arguments["response"] = Response(given.get("status", 403), given.get("headers", {}), given.get("body", ""))
        return arguments

    def _request(self, case: Mapping[str, Any]) -> tuple[str, str]:
        url, cookie = case["url"], case.get("cookie", "")
        if case.get("form", "url") == "none":
            return url, cookie
        values = self.values(case)
        for name, value in case.get("set", {}).items():
            values[name] = value
        for name in case.get("drop", ()):
            values.pop(name, None)
        if case.get("form") == "cookies":
            cookie = "; ".join([*([cookie] if cookie else []), *(f"CloudFront-{n}={v}" for n, v in values.items())])
            for one, other in case.get("replace", ()):
                cookie = cookie.replace(one, other)
            return url, cookie
        parameters = "&".join(f"{name}={value}" for name, value in values.items())
        asked = f"{url}{'&' if '?' in url else '?'}{parameters}" if parameters else url
        for one, other in case.get("replace", ()):
            asked = asked.replace(one, other)
        return asked, cookie

    def values(self, case: Mapping[str, Any]) -> dict[str, str]:
        """The signing parameters: policy or expiry, signature, key-pair id."""
        now = case.get("now", NOW)
        resource = case.get("signed", case["url"])
        if resource.endswith("?"):
            resource = resource if "signed" in case else resource[:-1]
        expires = case.get("expires", now + 3600)
        custom = any(name in case for name in ("policy", "starts", "network")) or case.get("custom", False)
        if "policy" in case:
            text = case["policy"].replace("{resource}", resource).replace("{expires}", str(now + 3600))
        else:
            condition: dict[str, object] = {"DateLessThan": {"AWS:EpochTime": expires}}
            if "network" in case:
                condition["IpAddress"] = {"AWS:SourceIp": case["network"]}
            if "starts" in case:
                condition["DateGreaterThan"] = {"AWS:EpochTime": case["starts"]}
            statement = {"Resource": resource, "Condition": condition}
            if case.get("resource", "") is False:
                statement.pop("Resource")
            text = json.dumps({"Statement": [statement]}, separators=(",", ":"), ensure_ascii=False)
        sent = text
        signed = case.get("signed_as", "{}").replace("{}", text)
        if "signed_json" in case:
            options = dict(case["signed_json"])
            if "separators" in options:
                options["separators"] = tuple(options["separators"])
            signed = json.dumps(json.loads(text), **options)
        if case.get("signed_form") == "encoded":
            signed = encoding.encode(text.encode())
        if case.get("signed_form") == "slashes-escaped":
            signed = text.replace("/", "\\/")
        key = self.keys.of(case.get("key", "rsa"))
        signature = key.sign(signed.encode(), case.get("hash", "SHA1"))
        if case.get("raw_ecdsa"):
            r, s = decode_dss_signature(signature)
            signature = r.to_bytes(32, "big") + s.to_bytes(32, "big")
        encode = _ENCODERS[case.get("encode", "cloudfront")]
        values = {"Policy": _ENCODERS[case.get("encode_policy", case.get("encode", "cloudfront"))](sent.encode())}
        if not custom:
            values = {"Expires": str(case.get("sent_expires", expires))}
        default = ECDSA_ID if case.get("key") == "ecdsa" else ID
        return {**values, "Signature": encode(signature), "Key-Pair-Id": case.get("id", default)}

    def _distribution(self, name: str, settings: Mapping[str, Any]) -> Any:
        document = {**self.distributions[name], **settings}
        distribution = parse_distribution(document, id="E2QWRUHAPOMQZL", domain_name="d111111abcdef8.cloudfront.net")
        keys = {key_id: TrustedKey(key_id, key_id, key.public_key) for key_id, key in self.keys.by_id.items()}
        groups = {
            "g-main": KeyGroup("g-main", "main", (ID, ECDSA_ID)),
            "g-other": KeyGroup("g-other", "other", (OTHER_ID,)),
        }
        groups["g-empty"] = KeyGroup("g-empty", "empty", ())
        if document.get("Status"):
            distribution = parse_distribution(
                {"Distribution": {**document, "DistributionConfig": document}}, id="E2QWRUHAPOMQZL"
            )
        return from_inventory(distribution, Inventory((distribution,), groups, keys))


@pytest.fixture(scope="session")
def keys() -> Keys:
    return Keys(
        {ID: shared_rsa(), ECDSA_ID: SigningKey.generate("ecdsa"), OTHER_ID: shared_rsa(1)},
        shared_rsa(2),
    )


@pytest.fixture(scope="session")
def bench(keys: Keys) -> Bench:
    distributions = json.loads(Path(__file__).with_name("distributions.json").read_text("utf-8"))
    return Bench(keys, distributions)
