"""Encodings: a signature or a policy that cannot be read, and hashes that do not agree."""

import re

from keyfront.explain.base64_readings import readings, strict
from keyfront.explain.facts import Facts
from keyfront.explain.registry import Found, rule
from keyfront.explain.values import Certainty, Stage

_PAGE = "private-content-creating-signed-url-canned-policy.html"
_HEX = re.compile(r"[0-9a-fA-F]{64,}")


def _texts(facts: Facts) -> list[tuple[str, str]]:
    """Name and text of what has to be in CloudFront's base64 and cannot be read."""
    pairs = [(name, facts.given.get(name, "")) for name in ("Policy", "Signature")]
    return [(name, text) for name, text in pairs if text and strict(text) is None]


def _unreadable(facts: Facts) -> list[tuple[str, str]]:
    """The same, less what another rule of this room explains better."""
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
    "Standard base64 was sent, not CloudFront's form of it",
    stage=Stage.SIGNATURE,
    looks="The signature or the policy holds `+`, `/` or `=`. CloudFront answers `MalformedSignature`: `Could not "
    "unencode Signature`, or `MalformedPolicy`.",
    cause="In a URL + / and = mean other things, so CloudFront has signs of its own for them: - for +, ~ for / and _ "
    "for =.",
    fix="After encoding replace + by -, = by _ and / by ~.",
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
        f"There is {' '.join(signs)} in {_named(facts, wrong)}; CloudFront's form of base64 has none of these signs.",
        stage=_stage(wrong),
    )


@rule(
    "url-safe-base64",
    "URL-safe base64 was sent, not CloudFront's form of it",
    stage=Stage.SIGNATURE,
    looks="The text was made with base64url (`urlsafe_b64encode`, `base64url`). CloudFront answers "
    "`MalformedSignature`, `MalformedPolicy` or `AccessDenied`.",
    cause="Base64url (RFC 4648) writes / as _ and usually leaves the padding out. CloudFront writes / as ~, and _ is "
    "its padding: the two look alike and mean different bytes.",
    fix="Encode with standard base64 and replace + by -, = by _ and / by ~.",
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
    tail = "; to CloudFront _ is padding, which only stands at the end" if inside else ""
    certainty: Certainty = "certain" if proved or inside else "likely"
    return Found(f"{seen} {_named(facts, wrong)}{tail}.", certainty, stage=_stage(wrong))


def _cut(name: str, text: str) -> bool:
    """Whether a signature is too short to be a whole one, whatever its alphabet."""
    if name != "Signature":
        return False
    data = [len(each.data) for each in readings(text)]
    return bool(data) and max(data) < 256 and not any(64 <= size <= 72 for size in data)


@rule(
    "plus-became-space",
    "A + in the signature became a space",
    stage=Stage.SIGNATURE,
    looks="The signature holds spaces (`%20`). CloudFront answers `MalformedSignature` or `MalformedPolicy`.",
    cause="Forms and query parsers read + as a space. CloudFront's form of base64 has no +, so that this cannot "
    "happen: standard base64 was sent.",
    fix="After encoding replace + by -, = by _ and / by ~.",
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
    looks="The URL holds `%25`, as in `%257E`. CloudFront answers `MalformedSignature` or `MalformedPolicy`.",
    cause="A finished URL was encoded once more on its way: by a redirect helper, a template, or an HTTP client.",
    fix="Hand on the signed URL as it is. Do not pass it through encodeURI, urlencode or a URL builder again.",
    recipe="sign-url",
    guide=_PAGE,
)
def percent_encoded_twice(facts: Facts) -> Found | None:
    if not facts.by_url:
        return None
    wrong = [name for name, text in _texts(facts) if re.search(r"%[0-9A-Fa-f]{2}", text)]
    seen = f"There are still % signs in {_named(facts, wrong)} after decoding it once."
    return Found(seen, stage=_stage(wrong)) if wrong else None


@rule(
    "signature-in-hex",
    "The signature is written in hexadecimal",
    stage=Stage.SIGNATURE,
    looks="The signature holds only the digits 0 to 9 and the letters a to f. CloudFront answers `AccessDenied` or "
    "`MalformedSignature`.",
    cause="The signature's bytes were turned into hexadecimal digits. CloudFront takes its own form of base64.",
    fix="Encode the bytes with base64 and replace + by -, = by _ and / by ~.",
    recipe="encoding",
    guide=_PAGE,
)
def signature_in_hex(facts: Facts) -> Found | None:
    text = facts.signature_text
    return Found(f"The signature is {len(text)} hexadecimal digits.") if _HEX.fullmatch(text) else None


@rule(
    "signature-cut-off",
    "The signature is not whole",
    stage=Stage.SIGNATURE,
    looks="The URL ends early, often after copying it out of an e-mail or a log. CloudFront answers "
    "`MalformedSignature` or `AccessDenied`.",
    cause="A signature of an RSA 2048 key has 344 characters. This one has fewer: a part of it was lost on the way.",
    fix="Copy the URL whole. In a shell put it in single quotes, or the & ends the command.",
    recipe="sign-url",
    guide=_PAGE,
)
def signature_cut_off(facts: Facts) -> Found | None:
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
    return Found(f"The signature is {max(sizes)} bytes long; a whole one has {expected}.")


@rule(
    "signature-of-another-key-type",
    "The signature is not of the kind that this key makes",
    stage=Stage.SIGNATURE,
    looks="CloudFront answers `AccessDenied`.",
    cause="An RSA 2048 key makes signatures of 256 bytes, an ECDSA P-256 key of about 70. The length of this one does "
    "not fit the key that the id names, so another key signed.",
    fix="Sign with the private key that belongs to the id. CloudFront takes RSA 2048 and ECDSA P-256.",
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
            f"The signature is {size} bytes long: an RSA key of {size * 8} bits made it. CloudFront takes 2048."
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
    "The ECDSA signature is in the raw form",
    stage=Stage.SIGNATURE,
    looks="The signature of an ECDSA key has exactly 64 bytes. CloudFront answers `AccessDenied`.",
    cause="Web Crypto, JWT libraries and .NET give an ECDSA signature as the two numbers r and s, one behind the "
    "other. CloudFront takes the ASN.1 (DER) form, as OpenSSL writes it.",
    fix="Ask your library for the DER form, or convert r and s into it.",
    recipe="ecdsa",
    guide="private-content-trusted-signers.html",
)
def signature_raw_ecdsa(facts: Facts) -> Found | None:
    if facts.proved("signature-raw-ecdsa"):
        return Found("The signature is 64 bytes long, and fits once r and s are written as ASN.1.")
    data = strict(facts.signature_text) if facts.signature_text else None
    if data is None or len(data) != 64 or (facts.key is not None and facts.key.algorithm == "rsa"):
        return None
    return Found("The signature is 64 bytes long, as r and s are without ASN.1.", certainty="likely")


@rule(
    "signature-missing",
    "The signature is missing",
    stage=Stage.SIGNATURE,
    looks="There is a key-pair id and a policy or an expiry, and no `Signature`. CloudFront answers "
    "`MalformedSignature`.",
    cause="The parameter (or the cookie) Signature is empty or was lost: cut off, or never sent.",
    fix="Send every parameter that the signer returned. In a shell put the URL in single quotes.",
    recipe="sign-url",
    guide=_PAGE,
)
def signature_missing(facts: Facts) -> Found | None:
    if not facts.by_url or facts.signature_text or not facts.key_pair_id:
        return None
    return Found(f"Given are {', '.join(name for name, text in facts.given.items() if text)}; no Signature.")


@rule(
    "signature-unreadable",
    "The signature cannot be read",
    stage=Stage.SIGNATURE,
    fallback=True,
    looks="CloudFront answers `MalformedSignature`: `Could not unencode Signature`.",
    cause="The text is not CloudFront's form of base64: characters were lost, added or changed on the way.",
    fix="Encode with standard base64, replace + by -, = by _ and / by ~, and hand the result on untouched.",
    recipe="encoding",
    guide=_PAGE,
)
def signature_unreadable(facts: Facts) -> Found | None:
    if facts.decision.reason == "malformed-signature" or (facts.signature_text and facts.failed("signature")):
        text = facts.signature_text
        return Found(facts.detail("signature") + ".") if text and strict(text) is None else None
    return None


@rule(
    "hash-algorithm-differs",
    "The link does not say with which hash it was signed",
    stage=Stage.SIGNATURE,
    looks="Everything looks right, and CloudFront answers `AccessDenied`.",
    cause="CloudFront checks with SHA-1, unless the parameter Hash-Algorithm=SHA256 (or the cookie "
    "CloudFront-Hash-Algorithm) says otherwise. The signature was made with the other one.",
    fix="Sign with SHA-1, or with SHA-256 and send Hash-Algorithm=SHA256 along.",
    recipe="hash",
    guide="private-content-creating-signed-url-canned-policy.html",
)
def hash_algorithm_differs(facts: Facts) -> Found | None:
    if not facts.proved("hash-algorithm-differs"):
        return None
    said = facts.given.get("Hash-Algorithm")
    says = f"Hash-Algorithm={said}" if said else "no Hash-Algorithm, which means SHA-1"
    return Found(f"The signature fits when {facts.told('hash-algorithm-differs')}; the request says {says}.")


@rule(
    "hash-algorithm-unknown",
    "CloudFront does not know this hash algorithm",
    stage=Stage.SIGNATURE,
    looks="`Hash-Algorithm` is something other than `SHA1` or `SHA256`.",
    cause="Hash-Algorithm may be SHA1 or SHA256, in exactly these letters.",
    fix="Write Hash-Algorithm=SHA256, or leave it out for SHA-1.",
    recipe="hash",
    guide="private-content-creating-signed-url-canned-policy.html",
)
def hash_algorithm_unknown(facts: Facts) -> Found | None:
    said = facts.given.get("Hash-Algorithm")
    return Found(f"Hash-Algorithm is {said[:40]!r}.") if said is not None and said not in ("SHA1", "SHA256") else None


@rule(
    "parameter-twice",
    "A signing parameter stands twice",
    stage=Stage.CREDENTIALS,
    looks="The URL holds `Signature=` or `Expires=` two times, often because a signed URL was signed again.",
    cause="CloudFront can read one value of each signing parameter only.",
    fix="Sign the bare URL, without the parameters of an earlier signature.",
    recipe="sign-url",
    guide="private-content-signed-urls.html",
)
def parameter_twice(facts: Facts) -> Found | None:
    names = [name for name in facts.names_of() if name in facts.given]
    twice = sorted({name for name in names if names.count(name) > 1}) if facts.by_url else []
    return Found(f"{', '.join(twice)} stands more than once in the URL.") if twice else None
