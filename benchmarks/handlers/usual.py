"""A download function as in tutorials: boto3 gets the key from SSM, botocore's CloudFrontSigner and `rsa` sign."""

import datetime
import json
import os

import boto3
import rsa
from botocore.signers import CloudFrontSigner

_ssm = boto3.client("ssm")
_document = json.loads(
    _ssm.get_parameter(Name=os.environ["PRIVATE_KEY_PARAMETER"], WithDecryption=True)["Parameter"]["Value"]
)
_key = rsa.PrivateKey.load_pkcs1(_document["private_key"].encode())
_signer = CloudFrontSigner(_document["key_pair_id"], lambda message: rsa.sign(message, _key, "SHA-1"))


def handler(event: dict[str, str], _context: object) -> dict[str, object]:
    """Return 303 to a signed link."""
    url = f"https://{os.environ['CLOUDFRONT_DOMAIN']}{event['rawPath']}"
    expires = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=60)
    return {
        "statusCode": 303,
        "headers": {"location": _signer.generate_presigned_url(url, date_less_than=expires)},
        "body": "",
    }
