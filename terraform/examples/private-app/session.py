"""POST /session with x-access-code: sets signed cookies for the whole host. KMS signs, so there is no private key here.

Only CloudFront may call this function URL, and preflight.js sets x-viewer-host, so the host is not the viewer's choice.
"""

import base64
import hashlib
import hmac
import json
import os
import time

import boto3

_kms = boto3.client("kms")
_SECONDS = 8 * 3600
_ATTRIBUTES = "Path=/; Secure; HttpOnly; SameSite=Lax"


def handler(event, _context):
    headers = {"cache-control": "no-store"}
    sent = event["headers"].get("x-access-code", "")
    if event["requestContext"]["http"]["method"] != "POST":
        return {"statusCode": 405, "headers": headers, "body": "Send a POST request.\n"}
    if not hmac.compare_digest(hashlib.sha256(sent.encode()).hexdigest(), os.environ["ACCESS_CODE_SHA256"]):
        return {"statusCode": 401, "headers": headers, "body": "The access code is not right.\n"}
    policy = _policy(event["headers"]["x-viewer-host"], int(time.time()) + _SECONDS)
    signed = _kms.sign(KeyId=os.environ["KMS_KEY_ID"], Message=policy, SigningAlgorithm="ECDSA_SHA_256")
    values = {
        "Policy": _encoded(policy),
        "Signature": _encoded(signed["Signature"]),
        "Key-Pair-Id": os.environ["KEY_PAIR_ID"],
        "Hash-Algorithm": "SHA256",
    }
    cookies = [f"CloudFront-{name}={value}; {_ATTRIBUTES}" for name, value in values.items()]
    return {"statusCode": 204, "headers": headers, "cookies": cookies}


def _policy(host, expires):
    condition = {"DateLessThan": {"AWS:EpochTime": expires}}
    statement = {"Resource": f"https://{host}/*", "Condition": condition}
    return json.dumps({"Statement": [statement]}, separators=(",", ":")).encode()


def _encoded(data):
    """CloudFront's base64: `-`, `_` and `~` in place of `+`, `=` and `/`."""
    return base64.b64encode(data).decode().translate(str.maketrans("+=/", "-_~"))
