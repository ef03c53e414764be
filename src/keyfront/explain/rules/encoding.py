"""Encodings: unreadable signatures or policies."""

import re

from keyfront.explain.base64_readings import readings, strict
from keyfront.explain.facts import Facts
from keyfront.explain.registry import Found, rule
from keyfront.explain.values import Certainty, Stage

_PAGE = "private-content-creating-signed-url-canned-policy.html"
_HEX = re.compile(r"[0-9a-fA-F]{64,}")


def _texts(facts: Facts) -> list[tuple[str, str]]:
    """Return the name and text of each value that should be in CloudFront's base64 and cannot be decoded."""
    pairs = [(name, facts.given.get(name, "")) for name in ("Policy", "Signature")]
    return [(name, text) for name, text in pairs if text and strict(text) is None]


def _unreadable(facts: Facts) -> list[tuple[str, str]]:
    """Return the same, without values that another rule in this module explains better."""
    return [
        (name, text)
        for name, text in _texts(facts)
        if " " not in text and "%" not in text and "&" not in text and not text.startswith(("{", '"', "'"))
    ]


def _stage(wrong: list[str]) -> Stage:
    return Stage.POLICY if "Policy" in wrong else Stage.SIGNATURE


def _named(facts: Facts, names: list[str]) -> str:
    return " and ".join(facts.called(name) for name in names)


@rule(
    "standard-base64",
    "Standard base64 was sent, not CloudFront's base64",
    stage=Stage.SIGNATURE,
    looks="The signature or the policy contains `+`, `/` or `=`. CloudFront returns `MalformedSignature`: `Could not "
    "unencode Signature`, or `MalformedPolicy`.",
    cause="In a URL, + / and = have other meanings, so CloudFront uses other characters: - for +, ~ for / and _ for =.",
    fix="After encoding, replace + with -, = with _ and / with ~.",
    recipe="encoding",
    guide=_PAGE,
)
def standard_base64(facts: Facts) -> Found | None:
    wrong = [name for name, text in _unreadable(facts) if re.search(r"[+/=]", text) and "~" not in text]
    wrong = [name for name in wrong if re.fullmatch(r"[A-Za-z0-9+/]+={0,2}", facts.given[name])]
    if not wrong:
        return None
    signs = sorted(set(re.findall(r"[+/=]", "".join(facts.given[name] for name in wrong))))
    return Found(
        f"{_named(facts, wrong)} contains {' '.join(signs)}; CloudFront's base64 has none of these characters.",
        stage=_stage(wrong),
    )


@rule(
    "url-safe-base64",
    "URL-safe base64 was sent, not CloudFront's base64",
    stage=Stage.SIGNATURE,
    looks="The text was made with base64url (`urlsafe_b64encode`, `base64url`). CloudFront returns "
    "`MalformedSignature`, `MalformedPolicy` or `AccessDenied`.",
    cause="Base64url (RFC 4648) writes / as _ and usually leaves the padding out. CloudFront writes / as ~ and uses _ "
    "for padding. The two look alike but mean different bytes.",
    fix="Encode with standard base64 and replace + with -, = with _ and / with ~.",
    recipe="encoding",
    guide=_PAGE,
)
def url_safe_base64(facts: Facts) -> Found | None:
    wrong = [
        name
        for name, text in _unreadable(facts)
        if re.fullmatch(r"[A-Za-z0-9_-]+={0,2}", text)
        and (re.search(r"_.*[A-Za-z0-9-]", text) or len(text.rstrip("=")) % 4)
        and not _HEX.fullmatch(text)
        and any(each.id == "url-safe" for each in readings(text))
        and not _cut(name, text)
    ]
    if not wrong:
        return None
    proved = facts.proved("signature-url-safe", "policy-url-safe")
    inside = any(re.search(r"_.*[A-Za-z0-9-]", facts.given[name]) for name in wrong)
    seen = "There is a _ in the middle of" if inside else "There is no padding at the end of"
    tail = "; CloudFront reads _ as padding, which is only at the end" if inside else ""
    certainty: Certainty = "certain" if proved or inside else "likely"
    return Found(f"{seen} {_named(facts, wrong)}{tail}.", certainty, stage=_stage(wrong))


def _cut(name: str, text: str) -> bool:
    """Return whether a signature is too short to be complete, in any base64 alphabet."""
    if name != "Signature":
        return False
    data = [len(each.data) for each in readings(text)]
    return bool(data) and max(data) < 256 and not any(64 <= size <= 72 for size in data)


@rule(
    "plus-became-space",
    "A + in the signature became a space",
    stage=Stage.SIGNATURE,
    looks="The signature contains spaces (`%20`). CloudFront returns `MalformedSignature` or `MalformedPolicy`.",
    cause="Forms and query parsers read + as a space. CloudFront's base64 has no + for this reason, so standard "
    "base64 was sent.",
    fix="After encoding, replace + with -, = with _ and / with ~.",
    recipe="encoding",
    guide=_PAGE,
)
def plus_became_space(facts: Facts) -> Found | None:
    wrong = [name for name, text in _texts(facts) if " " in text.strip() and not text.startswith("{")]
    return Found(f"There are spaces in {_named(facts, wrong)}.", stage=_stage(wrong)) if wrong else None


@rule(
    "percent-encoded-twice",
    "The signature was percent-encoded twice",
    stage=Stage.SIGNATURE,
    looks="The URL contains `%25`, as in `%257E`. CloudFront returns `MalformedSignature` or `MalformedPolicy`.",
    cause="A redirect helper, a template or an HTTP client encoded the finished URL a second time.",
    fix="Pass the signed URL on unchanged. Do not use encodeURI, urlencode or a URL builder on it.",
    recipe="sign-url",
    guide=_PAGE,
)
def percent_encoded_twice(facts: Facts) -> Found | None:
    if not facts.by_url:
        return None
    wrong = [name for name, text in _texts(facts) if re.search(r"%[0-9A-Fa-f]{2}", text)]
    seen = f"{_named(facts, wrong)} still contains % after it is decoded once."
    return Found(seen, stage=_stage(wrong)) if wrong else None


@rule(
    "signature-in-hex",
    "The signature is written in hexadecimal",
    stage=Stage.SIGNATURE,
    looks="The signature has only the digits 0 to 9 and the letters a to f. CloudFront returns `AccessDenied` or "
    "`MalformedSignature`.",
    cause="The signature's bytes were written as hexadecimal digits. CloudFront accepts only its own base64.",
    fix="Encode the bytes with base64 and replace + with -, = with _ and / with ~.",
    recipe="encoding",
    guide=_PAGE,
)
def signature_in_hex(facts: Facts) -> Found | None:
    text = facts.signature_text
    return Found(f"The signature is {len(text)} hexadecimal digits.") if _HEX.fullmatch(text) else None


@rule(
    "signature-cut-off",
    "The link or its signature is incomplete",
    stage=Stage.SIGNATURE,
    looks="The URL ends early, often because it was copied from an email or a log. CloudFront returns "
    "`MalformedSignature` or `AccessDenied`.",
    cause="A signature of an RSA 2048 key has 344 characters. This one is shorter, so part of it was lost.",
    fix="Copy the whole URL. In a shell, put it in single quotes; otherwise the & ends the command.",
    recipe="sign-url",
    guide=_PAGE,
)
def signature_cut_off(facts: Facts) -> Found | None:
    if cut := _cut_link(facts):
        return cut
    text = facts.signature_text
    if not text or signature_in_hex(facts) or percent_encoded_twice(facts) or not re.fullmatch(r"[\w~+/=-]+", text):
        return None
    own = strict(text)
    sizes = [len(own)] if own is not None else [len(each.data) for each in readings(text)]
    if not sizes:
        sizes = [len(text) * 3 // 4]
    of_ecdsa = own is not None and (own[:1] == b"\x30" or facts.key is None or facts.key.algorithm == "ecdsa")
    if any(size >= 256 or (64 <= size <= 72 and (of_ecdsa or own is None)) for size in sizes):
        return None
    expected = "64 to 72 bytes" if facts.key is not None and facts.key.algorithm == "ecdsa" else "256 bytes"
    return Found(f"The signature is {max(sizes)} bytes long; a complete one has {expected}.")


def _cut_link(facts: Facts) -> Found | None:
    """Return the finding about a link that ends inside a signing parameter; what comes after that is lost as well."""
    told = facts.repaired("signature-cut-off")
    inside = facts.cut_in
    if not (told or inside) or facts.key is not None:
        return None
    inside = inside or next((name for name, _ in reversed(facts.sent) if name in facts.given), "")
    where = f"inside {inside}" if inside else "too early"
    lost = [name for name in ("Signature", "Key-Pair-Id") if facts.by_url and not facts.given.get(name)]
    length = f", after {len(facts.given[inside])} characters of it" if facts.given.get(inside) else ""
    return Found(
        f"The link ends {where}{length}{f' ({told[0]})' if told else ''}"
        + (f"; {' and '.join(lost)} {'is' if len(lost) == 1 else 'are'} missing." if lost else "."),
        cause="Chats, tables and logs shorten long links, and mail programs break them. The signing parameters at the "
        "end are then lost.",
        fix="Copy the whole link again, from where it was made. It needs no new signature.",
        stage=Stage.CREDENTIALS,
        title=f"The link is cut off {where}",
    )


@rule(
    "signature-of-another-key-type",
    "The signature is not of this key's type",
    stage=Stage.SIGNATURE,
    looks="CloudFront returns `AccessDenied`.",
    cause="An RSA 2048 key makes signatures of 256 bytes, an ECDSA P-256 key makes about 70. This signature's length "
    "does not fit the key with this id, so another key signed.",
    fix="Sign with the private key that belongs to the id. CloudFront accepts RSA 2048 and ECDSA P-256.",
    recipe="key-pair-id",
    guide="private-content-trusted-signers.html",
)
def signature_of_another_key_type(facts: Facts) -> Found | None:
    data = strict(facts.signature_text) if facts.signature_text else None
    if data is None or facts.match is not None or signature_cut_off(facts) or signature_in_hex(facts):
        return None
    size = len(data)
    if size in (384, 512):
        return Found(
            f"The signature is {size} bytes long: an RSA key of {size * 8} bits made it. CloudFront accepts 2048."
        )
    if facts.key is None or not facts.failed("signature"):
        return None
    rsa = facts.key.algorithm == "rsa"
    if (rsa and size != 256) or (not rsa and size == 256):
        return Found(
            f"The signature is {size} bytes long, and {facts.shown_id} is an {facts.key.algorithm.upper()} key."
        )
    return None


@rule(
    "signature-raw-ecdsa",
    "The ECDSA signature is in raw form",
    stage=Stage.SIGNATURE,
    looks="The signature of an ECDSA key has exactly 64 bytes. CloudFront returns `AccessDenied`.",
    cause="Web Crypto, JWT libraries and .NET return an ECDSA signature as the two numbers r and s, one after the "
    "other. CloudFront accepts the ASN.1 (DER) form, as OpenSSL writes it.",
    fix="Ask your library for the DER form, or convert r and s to it.",
    recipe="ecdsa",
    guide="private-content-trusted-signers.html",
)
def signature_raw_ecdsa(facts: Facts) -> Found | None:
    if facts.proved("signature-raw-ecdsa"):
        return Found("The signature is 64 bytes long, and matches once r and s are written as ASN.1.")
    data = strict(facts.signature_text) if facts.signature_text else None
    if data is None or len(data) != 64 or (facts.key is not None and facts.key.algorithm == "rsa"):
        return None
    return Found("The signature is 64 bytes long, which is the length of r and s without ASN.1.", certainty="likely")


@rule(
    "signature-missing",
    "The signature is missing",
    stage=Stage.SIGNATURE,
    looks="The request has a key-pair id and a policy or an expiry, but no `Signature`. CloudFront returns "
    "`MalformedSignature`.",
    cause="The parameter (or cookie) Signature is empty, was cut off, or was never sent.",
    fix="Send every parameter that the signer returned. In a shell, put the URL in single quotes.",
    recipe="sign-url",
    guide=_PAGE,
)
def signature_missing(facts: Facts) -> Found | None:
    if not facts.by_url or facts.signature_text or not facts.key_pair_id:
        return None
    return Found(f"The request has {', '.join(name for name, text in facts.given.items() if text)}, but no Signature.")


@rule(
    "signature-unreadable",
    "The signature cannot be read",
    stage=Stage.SIGNATURE,
    fallback=True,
    looks="CloudFront returns `MalformedSignature`: `Could not unencode Signature`.",
    cause="The text is not in CloudFront's base64: characters were lost, added or changed.",
    fix="Encode with standard base64, replace + with -, = with _ and / with ~, and pass the result on unchanged.",
    recipe="encoding",
    guide=_PAGE,
)
def signature_unreadable(facts: Facts) -> Found | None:
    if facts.decision.reason == "malformed-signature" or (facts.signature_text and facts.failed("signature")):
        text = facts.signature_text
        return (
            Found(f"Signature cannot be decoded: {facts.signature_problem}.") if text and strict(text) is None else None
        )
    return None
