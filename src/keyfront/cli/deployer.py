"""The IAM policy for applying keyfront's Terraform modules: only the actions that the AWS provider needs."""

import re
from typing import Final

from keyfront.cli.output import Json
from keyfront.errors import InputError

# The provider's actions for each kind of resource. S3's actions have the names of the things they protect, and API
# Gateway's the names of HTTP methods (Service Authorization Reference).
_CLOUDFRONT: Final = (
    *("CreatePublicKey", "GetPublicKey", "UpdatePublicKey", "DeletePublicKey"),
    *("CreateKeyGroup", "GetKeyGroup", "UpdateKeyGroup", "DeleteKeyGroup"),
    *("CreateOriginAccessControl", "GetOriginAccessControl", "UpdateOriginAccessControl", "DeleteOriginAccessControl"),
    *("CreateDistribution", "GetDistribution", "UpdateDistribution", "DeleteDistribution"),
    *("TagResource", "UntagResource", "ListTagsForResource"),
    *("ListCachePolicies", "GetCachePolicy", "ListOriginRequestPolicies", "GetOriginRequestPolicy"),
    *("ListResponseHeadersPolicies", "GetResponseHeadersPolicy"),
)
_BUCKETS: Final = (
    *("CreateBucket", "DeleteBucket", "ListBucket", "ListBucketVersions"),
    *("GetBucketAcl", "PutBucketAcl", "GetBucketCORS", "GetBucketWebsite", "GetBucketLogging"),
    *("GetBucketRequestPayment", "GetBucketObjectLockConfiguration", "GetAccelerateConfiguration"),
    *("GetReplicationConfiguration", "GetBucketTagging", "PutBucketTagging"),
    *("GetBucketPolicy", "PutBucketPolicy", "DeleteBucketPolicy"),
    *("GetBucketPublicAccessBlock", "PutBucketPublicAccessBlock"),
    *("GetBucketOwnershipControls", "PutBucketOwnershipControls"),
    *("GetBucketVersioning", "PutBucketVersioning"),
    *("GetEncryptionConfiguration", "PutEncryptionConfiguration"),
    *("GetLifecycleConfiguration", "PutLifecycleConfiguration"),
)
_OBJECTS: Final = (
    *("PutObject", "GetObject", "GetObjectVersion", "GetObjectTagging", "PutObjectTagging"),
    *("DeleteObjectVersion", "DeleteObjectTagging"),
)
_KEYS: Final = (
    *("DescribeKey", "GetKeyPolicy", "GetKeyRotationStatus", "ListResourceTags", "GetPublicKey", "PutKeyPolicy"),
    *("UpdateKeyDescription", "TagResource", "UntagResource", "ScheduleKeyDeletion"),
)
_PARAMETERS: Final = (
    *("PutParameter", "GetParameter", "DeleteParameter"),
    *("AddTagsToResource", "RemoveTagsFromResource", "ListTagsForResource"),
)
_FUNCTIONS: Final = (
    *("CreateFunction", "GetFunction", "GetFunctionCodeSigningConfig"),
    *("ListVersionsByFunction", "UpdateFunctionCode", "UpdateFunctionConfiguration", "DeleteFunction"),
    *("AddPermission", "GetPolicy", "RemovePermission", "TagResource", "UntagResource", "ListTags"),
    # To associate a function with a behavior (CloudFront Developer Guide, "Set up IAM permissions and roles for
    # Lambda@Edge"). The stars are part of the names.
    *("EnableReplication*", "DisableReplication*"),
)
_ROLES: Final = (
    *("CreateRole", "GetRole", "UpdateAssumeRolePolicy", "UpdateRole", "DeleteRole", "TagRole", "UntagRole"),
    *("PutRolePolicy", "GetRolePolicy", "DeleteRolePolicy", "ListRolePolicies", "ListAttachedRolePolicies"),
    "ListInstanceProfilesForRole",
)
_TABLES: Final = (
    *("CreateTable", "DescribeTable", "UpdateTable", "DeleteTable"),
    *("DescribeTimeToLive", "UpdateTimeToLive", "DescribeContinuousBackups", "UpdateContinuousBackups"),
    *("TagResource", "UntagResource", "ListTagsOfResource"),
)
_LOG_GROUPS: Final = (
    *("CreateLogGroup", "DeleteLogGroup", "PutRetentionPolicy", "AssociateKmsKey", "DisassociateKmsKey"),
    *("TagResource", "UntagResource", "ListTagsForResource"),
)
# API Gateway needs these if a stage gets access logs (Developer Guide, "Permissions to activate logging").
_LOG_DELIVERIES: Final = (
    *("CreateLogDelivery", "GetLogDelivery", "UpdateLogDelivery", "DeleteLogDelivery", "ListLogDeliveries"),
    *("DescribeResourcePolicies", "PutResourcePolicy"),
)


def policy(account: str, prefix: str, region: str) -> dict[str, Json]:
    """Return the policy's document for `account` (twelve digits), limited to names that begin with `prefix`.

    The ARNs of CloudFront key groups and KMS keys contain ids, not names. There the limit is the account. Raises
    `InputError` for an invalid account, prefix or region.
    """
    if not re.fullmatch(r"\d{12}", account):
        raise InputError(
            f"{account!r} is not an account id: give twelve digits (aws sts get-caller-identity shows them)"
        )
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{1,29}", prefix):
        raise InputError(f"{prefix!r} is not a prefix: give 2 to 30 lower-case letters, digits and hyphens")
    if not re.fullmatch(r"[a-z]{2,}(-[a-z]+)+-\d", region):
        raise InputError(f"{region!r} is not a region: give a name such as us-east-1")
    at = f"{region}:{account}"
    return {
        "Version": "2012-10-17",
        "Statement": [
            # Most of these actions take no resource. The ids of key groups and policies are not known in advance.
            _allow("Distributions", "cloudfront", _CLOUDFRONT, "*"),
            _allow("Buckets", "s3", _BUCKETS, f"arn:aws:s3:::{prefix}-*"),
            _allow("Objects", "s3", _OBJECTS, f"arn:aws:s3:::{prefix}-*/*"),
            # For the access control list of access logs, which names the account.
            _allow("CanonicalUser", "s3", ("ListAllMyBuckets",), "*"),
            _allow("NewSigningKeys", "kms", ("CreateKey", "ListAliases"), "*"),
            _allow("SigningKeys", "kms", _KEYS, f"arn:aws:kms:{at}:key/*"),
            _allow(
                "SigningKeyNames",
                "kms",
                ("CreateAlias", "UpdateAlias", "DeleteAlias"),
                [f"arn:aws:kms:{at}:alias/{prefix}*", f"arn:aws:kms:{at}:key/*"],
            ),
            _allow("Parameters", "ssm", _PARAMETERS, f"arn:aws:ssm:{at}:parameter/{prefix}*"),
            _allow("ParameterList", "ssm", ("DescribeParameters",), "*"),
            _allow("Functions", "lambda", _FUNCTIONS, f"arn:aws:lambda:{at}:function:{prefix}*"),
            _allow("Tables", "dynamodb", _TABLES, f"arn:aws:dynamodb:{at}:table/{prefix}*"),
            _allow("Roles", "iam", _ROLES, f"arn:aws:iam::{account}:role/{prefix}*"),
            {
                **_allow("RolesForFunctionsOnly", "iam", ("PassRole",), f"arn:aws:iam::{account}:role/{prefix}*"),
                "Condition": {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}},
            },
            _allow(
                "LogGroups",
                "logs",
                _LOG_GROUPS,
                [f"arn:aws:logs:{at}:log-group:/aws/{kind}/{prefix}*" for kind in ("lambda", "apigateway")],
            ),
            _allow("LogGroupList", "logs", ("DescribeLogGroups",), "*"),
            _allow("AccessLogsOfApis", "logs", _LOG_DELIVERIES, "*"),
            _allow(
                "Apis",
                "apigateway",
                ("GET", "POST", "PATCH", "DELETE", "TagResource", "UntagResource"),
                [f"arn:aws:apigateway:{region}::/{path}" for path in ("apis", "apis/*", "tags/*")],
            ),
        ],
    }


def _allow(sid: str, service: str, actions: tuple[str, ...], resource: str | list[str]) -> dict[str, Json]:
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Action": [f"{service}:{action}" for action in sorted(actions)],
        "Resource": resource,
    }
