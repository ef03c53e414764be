"""Signs a link with a key that stays in KMS: python sign.py URL KEY_PAIR_ID KMS_KEY_ARN [SECONDS]. Needs boto3."""

import base64
import sys
import time

import boto3

ALGORITHMS = ("RSASSA_PKCS1_V1_5_SHA_256", "ECDSA_SHA_256")


def sign(url: str, key_pair_id: str, kms_key: str, seconds: int = 300) -> str:
    """`url` signed with a canned policy for `seconds` from now. KMS knows no SHA-1, so the link says SHA256."""
    kms = boto3.client("kms")
    expires = int(time.time()) + seconds
    policy = f'{{"Statement":[{{"Resource":"{url}","Condition":{{"DateLessThan":{{"AWS:EpochTime":{expires}}}}}}}]}}'
    able = kms.get_public_key(KeyId=kms_key)["SigningAlgorithms"]
    algorithm = next(algorithm for algorithm in ALGORITHMS if algorithm in able)
    made = kms.sign(KeyId=kms_key, Message=policy.encode(), MessageType="RAW", SigningAlgorithm=algorithm)
    signature = base64.b64encode(made["Signature"]).decode().translate(str.maketrans("+=/", "-_~"))
    start = "&" if "?" in url else "?"
    return f"{url}{start}Expires={expires}&Signature={signature}&Key-Pair-Id={key_pair_id}&Hash-Algorithm=SHA256"


if __name__ == "__main__":
    url, key_pair_id, kms_key, *rest = sys.argv[1:]
    print(sign(url, key_pair_id, kms_key, *map(int, rest)))  # noqa: T201
