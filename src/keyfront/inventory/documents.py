"""Reads distributions from the CloudFront API's structures, as boto3 returns them and JSON files hold them."""

from datetime import datetime

from keyfront.errors import InputError
from keyfront.inventory.functions import FunctionAssociation
from keyfront.inventory.policies import Document, items, selection
from keyfront.inventory.values import (
    CacheBehavior,
    CustomErrorResponse,
    CustomOrigin,
    Distribution,
    ForwardedValues,
    GeoRestriction,
    Origin,
    OriginGroup,
    Selection,
)


def parse_distribution(
    document: Document,
    *,
    id: str = "",  # noqa: A002
    domain_name: str = "",
    etag: str = "",
    arn: str = "",
    status: str = "Deployed",
    last_modified: datetime | None = None,
) -> Distribution:
    """Return the distribution in a `DistributionConfig` or in a response of `get-distribution[-config]`.

    The document's own id, domain name and ETag count before the arguments. Raises `InputError` for a document without
    a configuration.
    """
    etag = document.get("ETag", etag)
    if "Distribution" in document:
        document = document["Distribution"]
        id = document.get("Id", id)  # noqa: A001
        domain_name = document.get("DomainName", domain_name)
        arn, status = document.get("ARN", arn), document.get("Status", status)
        last_modified = document.get("LastModifiedTime", last_modified)
    config = document.get("DistributionConfig", document)
    try:
        return Distribution(
            id=id,
            domain_name=domain_name,
            default_behavior=_behavior(config["DefaultCacheBehavior"], "*"),
            behaviors=tuple(_behavior(item, item["PathPattern"]) for item in items(config, "CacheBehaviors")),
            origins=tuple(_origin(item) for item in items(config, "Origins")),
            origin_groups=tuple(_origin_group(item) for item in items(config, "OriginGroups")),
            aliases=tuple(items(config, "Aliases")),
            default_root_object=config.get("DefaultRootObject") or "",
            custom_errors=tuple(_custom_error(item) for item in items(config, "CustomErrorResponses")),
            geo_restriction=_geo_restriction(config.get("Restrictions") or {}),
            enabled=config.get("Enabled", True),
            comment=config.get("Comment") or "",
            status=status,
            etag=etag,
            arn=arn,
            last_modified=last_modified if isinstance(last_modified, datetime) else None,
            ipv6=bool(config.get("IsIPV6Enabled")),
            minimum_protocol=_minimum_protocol(config.get("ViewerCertificate") or {}),
            access_logs=bool((config.get("Logging") or {}).get("Enabled")),
            web_acl=config.get("WebACLId") or "",
            staging=bool(config.get("Staging")),
            deployment_policy=config.get("ContinuousDeploymentPolicyId") or "",
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(
            f"this is not a distribution configuration: {error} is missing or has the wrong type; "
            "give the output of `aws cloudfront get-distribution-config --id ID`"
        ) from None


def _behavior(item: Document, path_pattern: str) -> CacheBehavior:
    groups, signers = item.get("TrustedKeyGroups") or {}, item.get("TrustedSigners") or {}
    named = [*items(item, "TrustedKeyGroups"), *items(item, "TrustedSigners")]
    methods = item.get("AllowedMethods") or {}
    allowed = tuple(methods.get("Items") or ("HEAD", "GET"))
    associations = [
        FunctionAssociation(each["EventType"], each["FunctionARN"]) for each in items(item, "FunctionAssociations")
    ]
    associations += [
        FunctionAssociation(each["EventType"], each["LambdaFunctionARN"], bool(each.get("IncludeBody")))
        for each in items(item, "LambdaFunctionAssociations")
    ]
    return CacheBehavior(
        path_pattern=path_pattern,
        target_origin_id=item["TargetOriginId"],
        trusted_key_groups=tuple(items(item, "TrustedKeyGroups")),
        trusted_signers=tuple(items(item, "TrustedSigners")),
        # The API allows no list that is named but not enabled. The safe choice is that such a list counts.
        protected=bool(groups.get("Enabled") or signers.get("Enabled") or named),
        viewer_protocol_policy=item["ViewerProtocolPolicy"],
        allowed_methods=allowed,
        cached_methods=tuple(items(methods, "CachedMethods") or ("HEAD", "GET")),
        cache_policy_id=item.get("CachePolicyId") or "",
        origin_request_policy_id=item.get("OriginRequestPolicyId") or "",
        response_headers_policy_id=item.get("ResponseHeadersPolicyId") or "",
        compress=bool(item.get("Compress")),
        forwarded_values=_forwarded_values(item["ForwardedValues"]) if item.get("ForwardedValues") else None,
        min_ttl=item.get("MinTTL", 0),
        default_ttl=item.get("DefaultTTL", 86400),
        max_ttl=item.get("MaxTTL", 31536000),
        associations=tuple(associations),
        realtime_log=item.get("RealtimeLogConfigArn") or "",
        encryption=item.get("FieldLevelEncryptionId") or "",
    )


def _forwarded_values(item: Document) -> ForwardedValues:
    cookies, headers = item.get("Cookies") or {}, items(item, "Headers")
    return ForwardedValues(
        query_string=item["QueryString"],
        query_string_cache_keys=tuple(items(item, "QueryStringCacheKeys")),
        cookies=selection(cookies.get("Forward", "none"), items(cookies, "WhitelistedNames")),
        headers=Selection("all") if "*" in headers else selection("whitelist", [name.lower() for name in headers]),
    )


def _origin(item: Document) -> Origin:
    custom, s3 = item.get("CustomOriginConfig"), item.get("S3OriginConfig") or {}
    return Origin(
        id=item["Id"],
        domain_name=item["DomainName"],
        path=item.get("OriginPath") or "",
        custom=CustomOrigin(
            http_port=custom["HTTPPort"],
            https_port=custom["HTTPSPort"],
            protocol_policy=custom["OriginProtocolPolicy"],
            read_timeout=custom.get("OriginReadTimeout") or 30,
        )
        if custom
        else None,
        custom_headers=tuple((each["HeaderName"], each["HeaderValue"]) for each in items(item, "CustomHeaders")),
        access_control=item.get("OriginAccessControlId") or "",
        access_identity=(s3.get("OriginAccessIdentity") or "").rpartition("/")[2],
        connection_attempts=item.get("ConnectionAttempts") or 3,
        connection_timeout=item.get("ConnectionTimeout") or 10,
        completion_timeout=item.get("ResponseCompletionTimeout") or None,
        vpc_origin=(item.get("VpcOriginConfig") or {}).get("VpcOriginId") or "",
    )


def _origin_group(item: Document) -> OriginGroup:
    statuses = items(item.get("FailoverCriteria") or {}, "StatusCodes")
    return OriginGroup(item["Id"], tuple(each["OriginId"] for each in items(item, "Members")), tuple(statuses))


def _custom_error(item: Document) -> CustomErrorResponse:
    return CustomErrorResponse(
        error_code=item["ErrorCode"],
        page_path=item.get("ResponsePagePath") or "",
        response_code=int(item.get("ResponseCode") or item["ErrorCode"]),
        caching_min_ttl=item.get("ErrorCachingMinTTL", 10),
    )


def _minimum_protocol(certificate: Document) -> str:
    return "" if certificate.get("CloudFrontDefaultCertificate") else certificate.get("MinimumProtocolVersion") or ""


def _geo_restriction(item: Document) -> GeoRestriction:
    restriction = item.get("GeoRestriction") or {}
    countries = frozenset(each.upper() for each in items(item, "GeoRestriction"))
    return GeoRestriction(restriction.get("RestrictionType", "none"), countries)
