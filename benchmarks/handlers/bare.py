"""The simplest download function: `cryptography`, a key in a variable, one signature, no purchase check."""

import base64
import os
import time

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

_DOMAIN, _KEY_PAIR_ID = os.environ["CLOUDFRONT_DOMAIN"], os.environ["KEYPAIR_ID"]
_KEY = serialization.load_pem_private_key(os.environ["PRIVATE_KEY"].encode(), None, unsafe_skip_rsa_key_validation=True)
_SHA1, _PADDING = hashes.SHA1(), padding.PKCS1v15()
_SPECIAL = str.maketrans("+=/", "-_~")
assert isinstance(_KEY, rsa.RSAPrivateKey)
_sign = _KEY.sign


def handler(event: dict[str, str], _context: object) -> dict[str, object]:
    """Return 303 to a signed link."""
    url, expires = f"https://{_DOMAIN}{event['rawPath']}", int(time.time()) + 60
    policy = f'{{"Statement":[{{"Resource":"{url}","Condition":{{"DateLessThan":{{"AWS:EpochTime":{expires}}}}}}}]}}'
    signature = base64.b64encode(_sign(policy.encode(), _PADDING, _SHA1)).decode().translate(_SPECIAL)
    location = f"{url}?Expires={expires}&Signature={signature}&Key-Pair-Id={_KEY_PAIR_ID}"
    return {"statusCode": 303, "headers": {"location": location}, "body": ""}
