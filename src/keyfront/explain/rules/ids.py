"""Key-pair ids: missing, unset, or the id of something else."""

import re

from keyfront.core.key_ids import another_kind, in_small_letters, is_access_key
from keyfront.explain.facts import Facts
from keyfront.explain.registry import Found, rule
from keyfront.explain.rules.credentials import html_escaped_ampersand, parameter_name_case
from keyfront.explain.values import Stage

_SIGNERS = "private-content-trusted-signers.html"
_UNSET = (
    "undefined", "null", "None", "nil", "NaN", "false", "true", "[object Object]", "[object Promise]", "(null)", "{}",
    "${KEY_PAIR_ID}", "$KEY_PAIR_ID", "<nil>", "KEY_PAIR_ID", "YOUR_KEY_PAIR_ID", "your-key-pair-id", "changeme",
)  # fmt: skip
_PLACEHOLDER = re.compile(r"\$?\{.*\}|<[^<>]*>|%[A-Za-z_]+%|\[[A-Za-z_ ]*\]")


def signer_of(facts: Facts) -> str:
    """Return a sentence that names the signing key, if the request's id is unknown and the search found the key."""
    if facts.match is None or facts.key is not None or facts.match.key == facts.key_pair_id:
        return ""
    return f" The key {facts.match.key} made the signature."


@rule(
    "key-pair-id-missing",
    "The key-pair id is missing",
    stage=Stage.CREDENTIALS,
    looks="CloudFront returns `MissingKey`: `Missing Key-Pair-Id query parameter or cookie value`.",
    cause="CloudFront reads Key-Pair-Id first, because it names the public key that checks the signature. Often its "
    "setting was empty, or its cookie was not sent.",
    fix="Give the signer the public key's id, which begins with K. CloudFront lists it under Public keys.",
    recipe="key-pair-id",
    guide=_SIGNERS,
)
def key_pair_id_missing(facts: Facts) -> Found | None:
    if not facts.by_url or facts.key_pair_id or parameter_name_case(facts) or html_escaped_ampersand(facts):
        return None
    beside = ", ".join(facts.given)
    aside = ""
    if "Key-Pair-Id" in facts.signed_cookies:
        aside = " It is in the cookies, which CloudFront ignores if the URL has a signing parameter."
    none = "an empty" if "Key-Pair-Id" in facts.given else "no"
    evidence = f"The URL has {beside}, and {none} Key-Pair-Id.{aside}{signer_of(facts)}"
    if len(facts.sent) > 1 or "Key-Pair-Id" in facts.given or facts.sent[-1][0] not in ("Expires", "Policy"):
        return Found(evidence)
    return Found(
        f"{evidence} The link ends after its first parameter.",
        title="The link was cut off at its first &, and the key-pair id is missing",
        cause="In a shell, an & outside of quotes ends the command. Programs that put a link into another link without "
        "encoding it lose everything after the first & as well.",
        fix="Put the link in single quotes in a shell, and encode it (encodeURIComponent) inside another link. It "
        "needs no new signature.",
    )


@rule(
    "key-pair-id-unset",
    "The key-pair id comes from a variable that was not set",
    stage=Stage.KEY,
    looks="The URL has `Key-Pair-Id=undefined` (or `null`, `None`). CloudFront returns `InvalidKey`: `Unknown Key`.",
    cause="The signer was given a setting that does not exist, and wrote its language's word for no value.",
    fix="Set the public key's id, which begins with K. Make the program stop if it is missing.",
    recipe="key-pair-id",
    guide=_SIGNERS,
)
def key_pair_id_unset(facts: Facts) -> Found | None:
    bare = facts.key_pair_id.strip("'\"")
    if facts.key is not None or not (bare in _UNSET or _PLACEHOLDER.fullmatch(bare)):
        return None
    return Found(f"{facts.called('Key-Pair-Id')} is {facts.shown_id}.{signer_of(facts)}")


@rule(
    "key-pair-id-is-access-key",
    "The key-pair id is the id of an IAM access key",
    stage=Stage.KEY,
    looks="`Key-Pair-Id=AKIA…` CloudFront returns `InvalidKey`: `Unknown Key`.",
    cause="Ids that begin with AKIA or ASIA belong to IAM access keys, which sign API calls. CloudFront links are "
    "signed with a separate key pair; its id begins with K.",
    fix="Use the id of the public key, from the CloudFront console (Public keys) or `keyfront keys list`.",
    recipe="key-pair-id",
    guide=_SIGNERS,
)
def key_pair_id_is_access_key(facts: Facts) -> Found | None:
    if not is_access_key(facts.key_pair_id):
        return None
    return Found(f"{facts.called('Key-Pair-Id')} is {facts.key_pair_id[:4]}… and has 20 characters.{signer_of(facts)}")


@rule(
    "key-pair-id-of-another-kind",
    "The key-pair id is the id of something else, or was changed",
    stage=Stage.KEY,
    looks="CloudFront returns `InvalidKey`: `Unknown Key`. The id does not begin with K, or has a bracket, a dot or "
    "small letters.",
    cause="A key-pair id is the id of a public key: a K and 13 capital letters and digits. Key groups have ids "
    "like 1a2b3c4d-…. Distributions and origin access controls have ids that begin with E.",
    fix="Use the id of the public key, from the CloudFront console (Public keys) or `keyfront keys list`.",
    recipe="key-pair-id",
    guide=_SIGNERS,
)
def key_pair_id_of_another_kind(facts: Facts) -> Found | None:
    if facts.changed is not None and (tails := facts.repaired("key-pair-id-of-another-kind")):
        return _changed_id(f"In the pasted link {tails[0]}, so that it is part of the key-pair id.{facts.without_that}")
    key_id = facts.key_pair_id
    if not key_id or facts.key is not None:
        return None
    called = facts.called("Key-Pair-Id")
    if tail := _TAIL.search(key_id):
        return _changed_id(
            f"{called} ends with {tail[0].strip()!r}." if tail[0].strip() else f"{called} ends with a space."
        )
    if in_small_letters(key_id):
        return Found(
            f"{called} is {key_id}; ids have capital letters only.",
            title="The key-pair id is in lower case",
            fix=f"Write the id as CloudFront lists it: {key_id.upper()}. If the whole link was changed to lower "
            "case, its signature is lost too.",
        )
    if kind := another_kind(key_id):
        title = f"The key-pair id is that of {kind}"
        return Found(f"{called} is {facts.shown_id}, which looks like the id of {kind}.", "likely", title=title)
    if key_id.startswith(("-----BEGIN", "MIIB", "ssh-")):
        return Found(f"{called} contains the key itself, not its id.")
    return None


def _changed_id(evidence: str) -> Found:
    return Found(
        evidence,
        title="A character after the link became part of the key-pair id",
        cause="Mail programs, chats and people put a bracket, a dot or a quotation mark directly after a link. If the "
        "link ends with its key-pair id, the id then has one character too many.",
        fix="Open the link without that character. In a text, put a space after the link, or write it as <https://…>. "
        "It needs no new signature.",
    )


_TAIL = re.compile(r"(?<=[A-Za-z0-9])[^A-Za-z0-9\]]+$")


@rule(
    "account-key-pair",
    "The key-pair id belongs to an old key pair of an AWS account (APKA…)",
    stage=Stage.KEY,
    severity="note",
    looks="`Key-Pair-Id=APKA…`. On a behavior with trusted key groups, CloudFront returns `InvalidKey`: `Unknown Key`.",
    cause="Ids that begin with APKA belong to key pairs that only an account's root user can create. They work only "
    "on behaviors with trusted signers, not with trusted key groups.",
    fix="Create a key pair yourself, upload the public key, and add it to a trusted key group. IAM users can do this.",
    recipe="trusted-group",
    guide=_SIGNERS,
)
def account_key_pair(facts: Facts) -> Found | None:
    if not facts.key_pair_id.startswith("APKA"):
        return None
    behavior = facts.behavior
    if behavior is not None and behavior.protected and not behavior.signers:
        groups = f"The id is {facts.shown_id}; the behavior {behavior.pattern} trusts key groups, not accounts."
        return Found(groups, severity="error")
    if facts.failed("trusted-key") or (facts.response is not None and facts.response.code == "InvalidKey"):
        return Found(f"The id is {facts.shown_id}, and it is not trusted here.", severity="error")
    return Found(f"The id is {facts.shown_id}.")
