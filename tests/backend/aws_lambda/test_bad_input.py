"""What is wrong with the function's settings, its key and its events: told to the operator, and not to the caller."""

import json
import time
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey
from tests.waiting import wait_until

from keyfront.core.keys import SigningKey

SECRET = "0123456789abcdef0123456789abcdef"
MARA = {"sub": "mara"}


def refused(answer: dict[str, Any], status: int, error: str) -> bool:
    body = json.loads(answer["body"])
    assert set(body) == {"error", "message"}
    assert "/shop/" not in answer["body"]
    return (answer["statusCode"], body["error"]) == (status, error)


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"CLOUDFRONT_DOMAIN": None}, "CLOUDFRONT_DOMAIN is not set: give the distribution's domain"),
        ({"CLOUDFRONT_DOMAIN": "shop.s3.amazonaws.com"}, "CLOUDFRONT_DOMAIN is the bucket shop.s3.amazonaws.com"),
        ({"PRIVATE_KEY_PARAMETER": None}, "SIGNER is not set"),
        ({"KEYFRONT_ENTITLEMENTS": None}, "set ENTITLEMENTS_TABLE (DynamoDB), DATABASE_URL (PostgreSQL) or"),
        ({"KEYFRONT_ENTITLEMENTS": "sales"}, "KEYFRONT_ENTITLEMENTS is 'sales': give module:function"),
        ({"KEYFRONT_ENTITLEMENTS": "salse:f"}, "module 'salse', which cannot be imported: put it into the package"),
        ({"KEYFRONT_ENTITLEMENTS": "sales:nobody"}, "sales has no function 'nobody'"),
        ({"ENTITLEMENTS_TABLE": "shop"}, "KEYFRONT_ENTITLEMENTS and ENTITLEMENTS_TABLE both say"),
        ({"KEYFRONT_ENTITLEMENTS": None, "DATABASE_URL": "postgresql://db/shop"}, "--with postgresql"),
        ({"LINK_SECONDS": "soon"}, "LINK_SECONDS is 'soon': give whole seconds"),
        ({"JWT_SECRET": SECRET}, "JWT_ISSUER and JWT_AUDIENCE are both needed"),
    ],
)
def test_a_wrong_variable_is_500_and_named_in_the_log(
    variables: dict[str, str | None], said: str, start: Any, events: Any
) -> None:
    function = start(**variables)
    answer = function(events.http("/download/lamps", claims=MARA))
    assert refused(answer, 500, "broken")
    assert said in function.messages
    assert "multiValueHeaders" in function(events.rest("/download/lamps", claims=MARA))


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ("AccessDeniedException", "ssm:GetParameter"),
        ("ParameterNotFound", "there is no such parameter in this account and region"),
        ("ThrottlingException", "too many requests to SSM"),
    ],
)
def test_a_parameter_that_cannot_be_read_is_503_with_the_missing_action_in_the_log(
    error: str, said: str, start: Any, events: Any, parameters: Any
) -> None:
    parameters.error = error
    function = start()
    answer = function(events.http("/download/lamps", claims=MARA))
    assert refused(answer, 503, "unavailable")
    assert answer["headers"]["retry-after"] == "5"
    assert said in function.messages
    assert function.metric("Refusals")[0]["reason"] == "unavailable"
    ready = function(events.http("/readyz"))
    assert (ready["statusCode"], json.loads(ready["body"])["key"]) == (503, False)


def test_a_key_that_is_not_the_ids_is_500_and_both_ids_are_in_the_log(start: Any, events: Any) -> None:
    function = start(KEYPAIR_ID="K3ANOTHERKEYID")
    assert refused(function(events.http("/download/lamps", claims=MARA)), 500, "broken")
    assert "KEYPAIR_ID is 'K3ANOTHERKEYID'" in function.messages
    assert "'K2JCJMDEHXQW5F'" in function.messages


def test_a_key_that_cloudfront_does_not_have_under_the_id_is_500_and_signs_nothing(
    start: Any, events: Any, parameters: Any, signing_key: SigningKey
) -> None:
    another = SigningKey.generate("ecdsa").public_key
    told = {
        "K2JCJMDEHXQW5F": (signing_key.public_key.pem, 303, ""),
        "K3ANOTHERKEYID": (another.pem, 500, f"CloudFront has {another.fingerprint} under that id"),
        "K4NOBODYHASTHIS": (None, 500, "CloudFront has no public key K4NOBODYHASTHIS: upload the public half"),
    }
    parameters.value = signing_key.pem()
    parameters.public_keys = {name: pem for name, (pem, _, _) in told.items() if pem is not None}
    for name, (_, status, said) in told.items():
        function = start(KEYPAIR_ID=name, CHECK_KEY="true")
        answer = function(events.http("/download/lamps", claims=MARA))
        assert answer["statusCode"] == status
        assert ("location" in answer["headers"]) == (status == 303)
        assert said in function.messages
        if status != 303:
            assert refused(answer, 500, "broken")
            assert name not in answer["body"]


@pytest.mark.parametrize(
    "value", ["MARKERsecret", '{"key_pair_id": "K1", "private_key": "MARKERsecret"}', "{MARKERsecret"]
)
def test_a_parameter_without_a_key_is_500_and_nothing_of_it_is_logged(
    value: str, start: Any, events: Any, parameters: Any
) -> None:
    parameters.value = value
    function = start(KEYPAIR_ID=None if "K1" in value else "K1")
    answer = function(events.http("/download/lamps", claims=MARA))
    assert refused(answer, 500, "broken")
    assert "SSM parameter /shop/signing-key" in function.messages
    assert "MARKERsecret" not in function.text + json.dumps(answer)


def test_the_last_good_key_signs_on_while_the_parameter_store_fails(
    start: Any, events: Any, parameters: Any, signing_key: SigningKey
) -> None:
    function = start(KEY_SECONDS="1")
    assert function(events.http("/download/lamps", claims=MARA))["statusCode"] == 303
    parameters.error = "AccessDeniedException"

    def tells() -> bool:
        assert function(events.http("/download/lamps", claims=MARA))["statusCode"] == 303
        return "serving the last good value" in function.messages

    wait_until(tells)
    assert parameters.asked >= 2


@pytest.mark.parametrize(
    ("claims", "why"),
    [
        ({"exp": 1}, "it has expired"),
        ({"aud": "another"}, "its audience (aud) is not accepted here"),
        ({"iss": "https://evil.example/"}, "its issuer (iss) is not accepted here"),
        (None, "it is not a signed JWT"),
    ],
)
def test_a_token_that_does_not_count_is_401_and_says_why(
    claims: dict[str, Any] | None, why: str, start: Any, events: Any
) -> None:
    said = {"iss": "https://login.example.com/", "aud": "shop", "sub": "mara", "exp": int(time.time()) + 300}
    token = "nonsense" if claims is None else jwt.encode({"alg": "HS256"}, said | claims, OctKey.import_key(SECRET))
    function = start(JWT_SECRET=SECRET, JWT_ISSUER=said["iss"], JWT_AUDIENCE="shop")
    answer = function(events.http("/download/lamps", headers={"authorization": f"Bearer {token}"}))
    assert refused(answer, 401, "invalid_token")
    assert why in json.loads(answer["body"])["message"]
    assert 'error="invalid_token"' in answer["headers"]["www-authenticate"]
    assert f"token refused: {why}" in function.messages
    assert token not in function.text


MALFORMED: tuple[tuple[Any, str], ...] = (
    ([], "the event is not a JSON object"),
    ("text", "the event is not a JSON object"),
    (None, "the event is not a JSON object"),
    ({"Records": []}, "the event has no requestContext"),
    ({"requestContext": {}}, "the event has neither requestContext.http nor httpMethod"),
    ({"requestContext": {"http": {}}, "rawPath": "/"}, "the event has no method"),
    ({"requestContext": {"http": {"method": "GET"}}}, "the event has no path"),
    ({"requestContext": {"elb": {}}, "httpMethod": "GET", "path": 7}, "the event has no path"),
    (
        {"requestContext": {}, "httpMethod": "GET", "path": "/", "headers": "x"},
        "the event's headers are not a JSON object",
    ),
    ({"requestContext": {}, "httpMethod": "GET", "path": "/", "multiValueHeaders": {"a": 7}}, "a header's values"),
    ({"requestContext": {}, "httpMethod": "POST", "path": "/", "body": {}}, "the event's body is not text"),
    (
        {"requestContext": {}, "httpMethod": "POST", "path": "/", "body": "%", "isBase64Encoded": True},
        "the event says that its body is base64",
    ),
)


def test_a_malformed_event_is_400_and_the_process_lives_on(start: Any, events: Any) -> None:
    function = start()
    for event, said in MALFORMED:
        before = len(function.messages)
        assert refused(function(event), 400, "bad_request"), event
        assert f"malformed event: {said}" in function.messages[before:], event
    assert function(events.http("/healthz"))["statusCode"] == 200


def test_nothing_of_the_environments_secrets_is_in_what_a_failing_function_writes(start: Any, events: Any) -> None:
    function = start(JWT_SECRET="short-secret", JWT_ISSUER="https://login.example.com/", JWT_AUDIENCE="shop")
    assert refused(function(events.http("/download/lamps")), 500, "broken")
    assert "JWT_SECRET has 12 bytes, but needs at least 32" in function.messages
    assert "short-secret" not in function.text
