"""Reads from SSM in a Lambda function without an SDK: one signed request, from Lambda's own environment variables.

boto3 takes 150 ms to import and to make a client, more than the rest of a function's start. Every program that opens
`ssm:` in a function uses this (the backend, Django, your own code), so it is not part of the backend.
Source: IAM User Guide, "Create a signed AWS API request" (Signature Version 4); SSM API Reference, "GetParameter".
"""

import hashlib
import hmac
import json
import os
import time
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from keyfront.errors import ServiceError

_NEEDED: Final = (
    "AWS_LAMBDA_FUNCTION_NAME", "AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
)  # fmt: skip
FOR_BOTO3: Final = (
    "AWS_PROFILE", "AWS_CA_BUNDLE", "AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy",
)  # fmt: skip
"""Variables that change where or how a request is sent. boto3 supports them all."""
SECONDS: Final = 2.0
_GOOD: Final = 200
_KIND: Final = "application/x-amz-json-1.1"


def parameter(name: str, *, seconds: float = SECONDS) -> str | None:
    """Return the decrypted value of an SSM parameter; `None` if the caller must use boto3.

    It must outside of a Lambda function, with unusual settings, and after an unsuccessful response, because boto3
    retries and its errors say why. Raises `ServiceError` if no response comes: boto3 would wait too. `seconds` limits
    the wait for a connection and for each piece of the response.
    """
    environment = os.environ
    if not all(environment.get(each) for each in _NEEDED) or any(environment.get(each) for each in FOR_BOTO3):
        return None
    region = environment["AWS_REGION"]
    domain = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    endpoint = (
        environment.get("AWS_ENDPOINT_URL_SSM")
        or environment.get("AWS_ENDPOINT_URL")
        or f"https://ssm.{region}.{domain}"
    )
    body = json.dumps({"Name": name, "WithDecryption": True}).encode()
    try:
        value = json.loads(_answer(endpoint, body, region, environment, seconds))["Parameter"]["Value"]
    except TimeoutError:
        raise ServiceError(
            f"SSM parameter {name} could not be read: it did not answer within {seconds:.3g} s"
        ) from None
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return value if isinstance(value, str) else None


def _answer(endpoint: str, body: bytes, region: str, environment: Mapping[str, str], seconds: float) -> bytes:
    """Return the body of a successful response. Raises `OSError` and `ValueError` otherwise."""
    from http.client import HTTPConnection, HTTPException, HTTPSConnection

    parts = urlsplit(endpoint)
    if parts.scheme not in ("http", "https") or parts.path not in ("", "/"):
        raise ValueError
    connection = (HTTPSConnection if parts.scheme == "https" else HTTPConnection)(parts.netloc, timeout=seconds)
    headers = signed(parts.netloc, body, region, environment, time.time())
    try:
        connection.request("POST", "/", body, headers)
        answer = connection.getresponse()
        said = answer.read()
    except HTTPException:
        raise ValueError from None
    finally:
        connection.close()
    if answer.status != _GOOD:
        raise ValueError
    return said


def signed(host: str, body: bytes, region: str, environment: Mapping[str, str], now: float) -> dict[str, str]:
    """Return the headers of a GetParameter request to `host` at `now` (seconds since the epoch), with the signature."""
    moment = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))
    scope = f"{moment[:8]}/{region}/ssm/aws4_request"
    headers = {
        "content-type": _KIND,
        "host": host,
        "x-amz-date": moment,
        "x-amz-security-token": environment["AWS_SESSION_TOKEN"],
        "x-amz-target": "AmazonSSM.GetParameter",
    }
    names = ";".join(headers)
    lines = "".join(f"{name}:{value}\n" for name, value in headers.items())
    request = f"POST\n/\n\n{lines}\n{names}\n{hashlib.sha256(body).hexdigest()}"
    text = f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
    key = f"AWS4{environment['AWS_SECRET_ACCESS_KEY']}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    credential = f"{environment['AWS_ACCESS_KEY_ID']}/{scope}"
    return {
        **headers,
        "authorization": f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={names}, Signature={signature}",
    }
