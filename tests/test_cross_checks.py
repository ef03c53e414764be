"""Everybody else's signers beside ours: what they sign we verify; what we sign is theirs, or differs as told.

What is told stands in `DIFFERENCES`, and `docs/comparison.md` has a line for each.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest
import rsa as pure_python_rsa
from botocore.signers import CloudFrontSigner
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from tests.keys import shared_rsa

from keyfront import Policy, Signer, SigningKey, ViewerRequest, verify
from keyfront.core import encoding

ROOT: Final = Path(__file__).parent.parent
NODE: Final = ROOT / "benchmarks" / "node"
sys.path.insert(0, str(ROOT))  # the benchmarks, whose npm packages these are, are installed nowhere

from benchmarks.signing import pkcs1  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore::keyfront.SigningWarning")

KEY_ID: Final = "K2JCJMDEHXQW5F"
RSA: Final = shared_rsa()
ECDSA: Final = SigningKey.generate("ecdsa")
KEYS: Final = {"rsa": RSA, "ecdsa": ECDSA}
OURS: Final = Signer(KEY_ID, RSA)
END: Final = int(time.time()) + 86_400
START: Final = END - 2 * 86_400
SDK: Final = "@aws-sdk/cloudfront-signer"
ACS: Final = "aws-cloudfront-sign"
NAMES: Final = ("Expires", "Policy", "Signature", "Key-Pair-Id", "Hash-Algorithm")

FILE: Final = "https://d111111abcdef8.cloudfront.net/a/horizon.jpg"
FOLDER: Final = "https://d111111abcdef8.cloudfront.net/a/*"
URLS: Final = [
    FILE,
    "https://media.example.com/books/the%20keeper_(1)~2.epub?size=large&copy=1",
    "https://media.example.com:8443/%C3%B6l.mp4",
]
"""In the form in which viewers send them, and such that every signer leaves them as they are."""

Node = Callable[..., Any]
"""Takes a package, a function's name and its arguments; returns what the function returns."""
Sign = Callable[[str], str]


class NodeError(Exception):
    """What a package threw."""


@pytest.fixture(scope="module")
def node(npm: Callable[[Path, Path], None]) -> Iterator[Node]:
    """The npm packages in one Node process."""
    npm(NODE, NODE / "node_modules" / "aws-cloudfront-sign")
    command = ["node", str(NODE / "sign.mjs")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        questions, answers = process.stdin, process.stdout
        assert questions
        assert answers

        def ask(package: str, function: str, *arguments: object) -> Any:
            told = {"package": package, "function": function, "arguments": arguments}
            questions.write(json.dumps(told) + "\n")
            questions.flush()
            answer = json.loads(answers.readline())
            if "error" in answer:
                raise NodeError(answer["error"])
            return answer["value"]

        yield ask
        questions.close()


def sdk(key: SigningKey = RSA, **more: object) -> dict[str, object]:
    """The argument of @aws-sdk/cloudfront-signer's functions."""
    until = datetime.fromtimestamp(END, UTC).isoformat()
    return {"keyPairId": KEY_ID, "privateKey": key.pem(), "dateLessThan": until} | more


def acs(key: SigningKey = RSA, **more: object) -> dict[str, object]:
    """The second argument of aws-cloudfront-sign's functions."""
    return {"keypairId": KEY_ID, "privateKeyString": key.pem(), "expireTime": END * 1000} | more


def botocores(package: str) -> CloudFrontSigner:
    """botocore's signer with a function of this package's, as the two are documented."""
    if package == "rsa":
        slow = pure_python_rsa.PrivateKey.load_pkcs1(pkcs1(RSA))
        return CloudFrontSigner(KEY_ID, lambda message: pure_python_rsa.sign(message, slow, "SHA-1"))
    fast = serialization.load_pem_private_key(RSA.pem().encode(), None)
    assert isinstance(fast, rsa.RSAPrivateKey)
    return CloudFrontSigner(KEY_ID, lambda message: fast.sign(message, padding.PKCS1v15(), hashes.SHA1()))


def decided(url: str, cookies: dict[str, Any] | None = None, key: SigningKey = RSA) -> str:
    """What our edge would say, at once and from an address in 192.0.2.0/24."""
    header = "; ".join(f"{name}={value}" for name, value in (cookies or {}).items())
    return verify(ViewerRequest(url, header, ip="192.0.2.7"), {KEY_ID: key.public_key}, time.time()).reason


def parts(url: str) -> tuple[str, dict[str, str]]:
    """The URL without the signing parameters, and those, as they were sent."""
    base, _, query = url.partition("?")
    pairs = [pair.partition("=") for pair in query.split("&") if query]
    own = "&".join("".join(pair) for pair in pairs if pair[0] not in NAMES)
    return f"{base}?{own}" if own else base, {name: value for name, _, value in pairs if name in NAMES}


def signature(url: str) -> str:
    """As it was signed: aws-cloudfront-sign sends its `~`, which most signatures have and some do not, encoded."""
    return parts(url)[1]["Signature"].replace("%7E", "~")


def moment(second: int) -> datetime:
    return datetime.fromtimestamp(second, UTC)


@pytest.mark.parametrize("url", URLS)
@pytest.mark.parametrize("package", ["cryptography", "rsa"])
def test_botocores_urls_are_ours_to_the_byte(package: str, url: str) -> None:
    theirs = botocores(package)
    canned = theirs.generate_presigned_url(url, date_less_than=moment(END))
    policy = theirs.build_policy(url, moment(END), moment(START), "192.0.2.0/24")
    custom = theirs.generate_presigned_url(url, policy=policy)
    assert canned == OURS.sign_url(url, expires=END)
    assert custom == OURS.sign_url(url, expires=END, starts=START, ip="192.0.2.0/24")
    assert [decided(canned), decided(custom)] == ["allowed", "allowed"]


@pytest.mark.parametrize("more", [{}, {"starts": START, "ip": "192.0.2.0/24"}], ids=["canned", "custom"])
def test_the_aws_clis_urls_are_ours_to_the_byte(more: dict[str, Any], tmp_path: Path) -> None:
    key = tmp_path / "pkcs1.pem"
    key.write_bytes(pkcs1(RSA))
    command = [str(Path(sys.executable).with_name("aws")), "cloudfront", "sign", "--url", URLS[1]]
    command += ["--key-pair-id", KEY_ID, "--private-key", f"file://{key}", "--date-less-than", str(END)]
    if more:
        command += ["--date-greater-than", str(START), "--ip-address", "192.0.2.0/24"]
    signed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert signed == OURS.sign_url(URLS[1], expires=END, **more)
    assert decided(signed) == "allowed"


@pytest.mark.parametrize("url", URLS)
def test_a_canned_url_has_the_same_values_from_both_npm_packages(node: Node, url: str) -> None:
    base, mine = parts(OURS.sign_url(url, expires=END))
    theirs = node(SDK, "getSignedUrl", sdk(url=url))
    assert parts(theirs) == (base, mine)
    assert decided(theirs) == "allowed"
    # The other sends the canned policy as a custom one, and `~` encoded.
    sent_too = node(ACS, "getSignedUrl", url, acs())
    own, given = parts(sent_too)
    assert own == base
    assert {name: value.replace("%7E", "~") for name, value in given.items()} == mine | {
        "Policy": encoding.encode(Policy(url, END).to_bytes())
    }
    assert decided(sent_too) == "allowed"


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ({"dateGreaterThan": moment(START).isoformat()}, {"starts": START}),
        ({"ipAddress": "192.0.2.7"}, {"ip": "192.0.2.7"}),
    ],
    ids=["start", "address"],
)
def test_a_custom_policy_with_one_condition_is_the_sdks_to_the_byte(
    node: Node, theirs: dict[str, Any], ours: dict[str, Any]
) -> None:
    for url in URLS:
        signed = node(SDK, "getSignedUrl", sdk(url=url, **theirs))
        assert parts(signed) == parts(OURS.sign_url(url, expires=END, **ours))
        assert decided(signed) == "allowed"


def test_a_policy_of_ones_own_is_signed_by_the_sdk_as_by_us(node: Node) -> None:
    policy = Policy(FOLDER, END, START, "192.0.2.0/24").to_bytes().decode()
    arguments = {name: value for name, value in sdk(policy=policy).items() if name != "dateLessThan"}
    url = node(SDK, "getSignedUrl", arguments | {"url": FILE})
    assert parts(url) == parts(OURS.sign_url(FILE, expires=END, starts=START, ip="192.0.2.0/24", resource=FOLDER))
    cookies = node(SDK, "getSignedCookies", arguments)
    assert cookies == dict(OURS.sign_cookies(FOLDER, expires=END, starts=START, ip="192.0.2.0/24"))
    assert [decided(url), decided(FILE, cookies)] == ["allowed", "allowed"]


def test_cookies_of_both_npm_packages_are_ours(node: Node) -> None:
    one = node(SDK, "getSignedCookies", sdk(url=FILE))
    assert {name: str(value) for name, value in one.items()} == dict(OURS.sign_cookies(FILE, expires=END))
    folder = node(ACS, "getSignedCookies", FOLDER, acs(ipRange="192.0.2.0/24"))
    assert folder == dict(OURS.sign_cookies(FOLDER, expires=END, ip="192.0.2.0/24"))
    assert [decided(FILE, one), decided(FILE, folder)] == ["allowed", "allowed"]


def test_sha256_is_the_same_in_the_sdk(node: Node) -> None:
    ours = Signer(KEY_ID, RSA, "SHA256")
    url = node(SDK, "getSignedUrl", sdk(url=FILE, algorithm="SHA256"))
    assert parts(url) == parts(ours.sign_url(FILE, expires=END))
    cookies = node(SDK, "getSignedCookies", sdk(url=FILE, algorithm="SHA256"))
    assert {name: str(value) for name, value in cookies.items()} == dict(ours.sign_cookies(FILE, expires=END))
    assert [decided(url), decided(FILE, cookies)] == ["allowed", "allowed"]


def test_ecdsa_signatures_of_both_npm_packages_verify(node: Node) -> None:
    pem = sdk(ECDSA, url=FILE)
    urls = [node(SDK, "getSignedUrl", pem), node(SDK, "getSignedUrl", pem | {"algorithm": "SHA256"})]
    urls += [
        node(SDK, "getSignedUrl", pem | {"ipAddress": "192.0.2.0/24"}),
        node(ACS, "getSignedUrl", FILE, acs(ECDSA)),
    ]
    cookies = [node(SDK, "getSignedCookies", pem), node(ACS, "getSignedCookies", FOLDER, acs(ECDSA))]
    assert [decided(url, key=ECDSA) for url in urls] == ["allowed"] * 4
    assert [decided(FILE, jar, key=ECDSA) for jar in cookies] == ["allowed"] * 2
    assert decided(urls[0].replace("horizon", "sunset"), key=ECDSA) == "signature-mismatch"


@pytest.mark.parametrize("algorithm", ["rsa", "ecdsa"])
@pytest.mark.parametrize(
    "policy", [Policy(FILE, END), Policy(FOLDER, END, START, "192.0.2.0/24")], ids=["canned", "custom"]
)
def test_the_guides_openssl_recipe_signs_what_we_sign(
    algorithm: str, policy: Policy, tmp_path: Path, need_tool: Callable[[str], Path]
) -> None:
    key = KEYS[algorithm]
    private, _ = key.write(tmp_path)
    # As the guide's policies look before its `tr` takes the white space out of them.
    (tmp_path / "policy").write_text(json.dumps(json.loads(policy.to_bytes()), indent=4))
    strip, encode = r'tr -d "\n" | tr -d " \t\n\r"', "openssl base64 -A | tr -- '+=/' '-_~'"
    recipe = f"cat policy | {strip} | openssl sha1 -sign {private} | {encode}; echo; cat policy | {strip} | {encode}"
    environment = os.environ | {"PATH": f"{need_tool('openssl').parent}:{os.environ['PATH']}"}
    told = subprocess.run(
        ["/bin/sh", "-c", recipe], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    signature, encoded = told.stdout.split("\n")
    assert encoded == encoding.encode(policy.to_bytes())
    if algorithm == "rsa":  # an ECDSA signature is another each time
        assert signature == encoding.encode(key.sign(policy.to_bytes()))
    given = f"Policy={encoded}" if policy.ip else f"Expires={END}"
    assert decided(f"{FILE}?{given}&Signature={signature}&Key-Pair-Id={KEY_ID}", key=key) == "allowed"


@dataclass(frozen=True)
class Difference:
    """A canned URL that a signer makes otherwise than we do."""

    signer: str
    given: str
    link: str
    """What it makes of it, without the signing parameters."""
    reason: str
    """What a verifier says when a browser has asked for it."""

    def line(self) -> str:
        """As it stands in docs/comparison.md."""
        answer = "let in" if self.reason == "allowed" else f"403, {self.reason}"
        return f"| {self.signer} | `{self.given}` | `{self.link}` | {answer} | `{ours(self.given)}` |"


def ours(given: str) -> str:
    return parts(OURS.sign_url(given, expires=END))[0]


DIFFERENCES: Final = [
    Difference("botocore", "https://a.example/öl gas", "https://a.example/öl gas", "signature-mismatch"),
    Difference("botocore", "https://a.example/100%.txt", "https://a.example/100%.txt", "allowed"),
    Difference("botocore", "https://a.example/b?t=it's", "https://a.example/b?t=it's", "signature-mismatch"),
    Difference("botocore", "https://A.example:443/b", "https://A.example:443/b", "signature-mismatch"),
    Difference("botocore", "https://a.example", "https://a.example", "signature-mismatch"),
    Difference("botocore", "https://a.example/b?", "https://a.example/b?", "signature-mismatch"),
    Difference(SDK, "https://a.example/b+c@d,e=f", "https://a.example/b%2Bc%40d%2Ce%3Df", "allowed"),
    Difference(SDK, "https://a.example/%c3%b6l", "https://a.example/%C3%B6l", "allowed"),
    Difference(SDK, "https://a.example/b?t=c/d:e", "https://a.example/b?t=c%2Fd%3Ae", "allowed"),
    Difference(SDK, "https://a.example/b?download", "https://a.example/b?download=", "allowed"),
    Difference(SDK, "https://a.example/b?c=1&&d=2", "https://a.example/b?c=1&d=2", "allowed"),
    Difference(SDK, "https://A.example:443/b", "https://A.example:443/b", "signature-mismatch"),
    Difference(SDK, "https://a.example", "https://a.example", "signature-mismatch"),
    Difference(ACS, "https://a.example/öl gas", "https://a.example/%C3%B6l%20gas", "resource-mismatch"),
    Difference(ACS, "https://a.example/b?t=c%20d", "https://a.example/b?t=c+d", "resource-mismatch"),
    Difference(ACS, "https://a.example/b?t=c/d:e", "https://a.example/b?t=c%2Fd%3Ae", "resource-mismatch"),
    Difference(ACS, "https://a.example/b?download", "https://a.example/b?download=", "resource-mismatch"),
    Difference(ACS, "https://A.example:443/b", "https://a.example/b", "resource-mismatch"),
]
SIGNERS: Final[dict[str, Callable[[Node], Sign]]] = {
    "botocore": lambda _: lambda url: str(botocores("cryptography").generate_presigned_url(url, moment(END))),
    SDK: lambda node: lambda url: str(node(SDK, "getSignedUrl", sdk(url=url))),
    ACS: lambda node: lambda url: str(node(ACS, "getSignedUrl", url, acs())),
}


@pytest.mark.parametrize("told", DIFFERENCES, ids=lambda told: f"{told.signer}: {told.given}")
def test_where_another_signer_differs_it_differs_as_told_and_ours_is_let_in(node: Node, told: Difference) -> None:
    mine, theirs = OURS.sign_url(told.given, expires=END), SIGNERS[told.signer](node)(told.given)
    # botocore puts its parameters behind a `?` that ends the URL as if it began a query string.
    assert theirs.startswith(told.link)
    assert parts(theirs)[0] == told.link.removesuffix("?")
    assert decided(node("url", "href", theirs)) == told.reason
    assert (parts(theirs)[0], signature(theirs)) != (parts(mine)[0], signature(mine))
    assert decided(node("url", "href", mine)) == "allowed"


def test_the_page_has_a_line_for_every_difference() -> None:
    page = (ROOT / "docs" / "comparison.md").read_text()
    assert [told.line() for told in DIFFERENCES if told.line() not in page] == []


def test_the_sdk_writes_a_start_before_an_address_and_both_orders_open(node: Node) -> None:
    theirs = node(
        SDK, "getSignedUrl", sdk(url=FILE, dateGreaterThan=moment(START).isoformat(), ipAddress="192.0.2.0/24")
    )
    mine = OURS.sign_url(FILE, expires=END, starts=START, ip="192.0.2.0/24")
    policies = [encoding.decode(parts(url)[1]["Policy"]) for url in (theirs, mine)]
    orders = [list(json.loads(policy)["Statement"][0]["Condition"]) for policy in policies]
    assert orders == [
        ["DateLessThan", "DateGreaterThan", "IpAddress"],
        ["DateLessThan", "IpAddress", "DateGreaterThan"],
    ]
    assert json.loads(policies[0]) == json.loads(policies[1])
    assert [decided(theirs), decided(mine)] == ["allowed", "allowed"]


def test_the_sdks_cookies_for_a_folder_open_nothing_without_a_policy_of_ones_own(node: Node) -> None:
    cookies = node(SDK, "getSignedCookies", sdk(url=FOLDER))
    assert "CloudFront-Expires" in cookies  # a canned policy, in which the * is a character
    assert decided(FILE, cookies) == "signature-mismatch"
    assert decided(FILE, dict(OURS.sign_cookies(FOLDER, expires=END))) == "allowed"
    assert decided(
        node("url", "href", "https://a.example/öl"), node(SDK, "getSignedCookies", sdk(url="https://a.example/öl"))
    ) == ("signature-mismatch")


def test_an_ipv6_address_is_signed_by_two_and_opens_nothing(node: Node) -> None:
    boto = botocores("cryptography")
    theirs = boto.generate_presigned_url(FILE, policy=boto.build_policy(FILE, moment(END), ip_address="2001:db8::/32"))
    assert decided(theirs) == "malformed-policy"
    assert decided(node(ACS, "getSignedUrl", FILE, acs(ipRange="2001:db8::/32"))) == "malformed-policy"
    with pytest.raises(NodeError, match="is invalid"):
        node(SDK, "getSignedUrl", sdk(url=FILE, ipAddress="2001:db8::/32"))


def test_what_others_cannot_sign_we_can(node: Node) -> None:
    with pytest.raises(NodeError, match="2038"):
        node(ACS, "getSignedUrl", FILE, acs(expireTime=2**31 * 1000))
    assert Signer(KEY_ID, RSA, max_lifetime=None).sign_url(FILE, expires=2**31)
    from awscli.customizations.cloudfront import RSASigner  # type: ignore[import-untyped]

    for pem in (RSA.pem(), ECDSA.pem()):  # PKCS#8, which `openssl genpkey` writes
        with pytest.raises(ValueError, match="BEGIN RSA PRIVATE KEY"):
            RSASigner(pem)
        assert Signer(KEY_ID, SigningKey.load(pem)).sign_url(FILE, expires=END)
