"""What a plan of the module `private-content` refuses, and how it says so."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

_GROUP = "b3ee3859-7e14-4235-abdb-195ff195395c"
_OPEN = {"path_pattern": "/open/*", "public": True}

_REFUSED: dict[str, tuple[dict[str, Any], list[str]]] = {
    "values": (
        {
            "name": "films",
            "default_key_group_ids": ["K2JCJMDEHXQW5F"],
            "public_default": True,
            "abort_incomplete_uploads_days": 0,
            "origin_shield_region": "everywhere",
            "buckets": {"archive": {"bucket": "s3://archive/films", "path": "films/"}},
            "custom_origins": {"shop": {"domain_name": "https://shop.example.com:8080", "protocol_policy": "http"}},
            "function_urls": {"reports": {"url": "https://reports.example.com/", "function_name": "reports"}},
            "origin_groups": {"either": {"primary": "a", "secondary": "b", "status_codes": [418]}},
            "default_response_headers_policy": "Managed-SimpleCORS",
            "default_response_headers_policy_id": "60669652-455b-4ae9-85a4-c4c02393f86c",
            "access_logs": {"bucket_domain_name": "logs.s3.amazonaws.com", "kms_key_arn": "alias/logs"},
            "aliases": ["films.example.com"],
        },
        [
            "public_default = true opens the default behavior, default_key_group_ids protects it",
            "default_key_group_ids must have ids of key groups",
            "abort_incomplete_uploads_days must be a whole number from 1 on",
            'origin_shield_region must be a region, such as us-east-1, and is "everywhere"',
            "Invalid: s3://archive/films",
            "path in buckets must begin with / and not end with one",
            "An origin's domain_name must be a host name without https://, a port",
            "protocol_policy must be https-only, http-only or match-viewer",
            "Invalid: https://reports.example.com/",
            "at least one of 403, 404, 416, 429, 500, 502, 503 and 504",
            "both name a policy: give only one of them",
            "kms_key_arn in access_logs is for the bucket that the module makes",
            "kms_key_arn in access_logs must be the ARN of a KMS key",
            "aliases and certificate_arn need each other",
        ],
    ),
    "behaviors": (
        {
            "name": "films",
            "default_key_group_ids": [_GROUP],
            "default_behavior": {"viewer_protocol_policy": "allow-all", "origin": "nowhere"},
            "buckets": {"archive": {"bucket": "archive"}},
            "behaviors": [
                {"path_pattern": "/films/*?v=1", "key_group_ids": [_GROUP]},
                {"path_pattern": "/neither/*"},
                {"path_pattern": "/both/*", "public": True, "key_group_ids": ["EDFDVBD6EXAMPLE"]},
                {**_OPEN, "origin": "gone", "viewer_protocol_policy": "allow-all"},
            ],
        },
        [
            'origin "nowhere", which does not exist. There are: content, archive.',
            "does not match the query string. Invalid: /films/*?v=1",
            "key_group_ids or public = true, and not both. Invalid: /neither/*, /both/*",
            "key_group_ids must have ids of key groups",
            "viewer_protocol_policy must be https-only or redirect-to-https",
            "Invalid: /open/* (gone)",
        ],
    ),
    "nothing to serve, and nobody who decides": (
        {
            "name": "films",
            "create_bucket": False,
            "aliases": ["films.example.com"],
            "certificate_arn": "arn:aws:acm:eu-central-1:123456789012:certificate/1",
        },
        [
            "The default behavior is neither protected nor public",
            "Without a bucket the distribution needs another origin",
            "CloudFront takes certificates from no other region",
        ],
    ),
    "what belongs together": (
        {
            "name": "films",
            "default_key_group_ids": [_GROUP],
            "default_behavior": {"origin_request_policy": "Managed-AllViewer"},
            "custom_origin_headers": {"store": {"X-Origin-Secret": "between us"}},
            "custom_origins": {"content": {"domain_name": "shop.example.com"}},
            "origin_groups": {
                "either": {"primary": "content", "secondary": "archive"},
                "same": {"primary": "archive", "secondary": "archive"},
                "unknown": {"primary": "content", "secondary": "gone"},
            },
            "buckets": {"archive": {"bucket": "archive"}},
            "behaviors": [
                {**_OPEN, "origin": "either", "allowed_methods": ["GET", "HEAD", "POST"]},
                {
                    "path_pattern": "open/?.mp4",
                    "key_group_ids": [_GROUP],
                    "function_arns": {
                        "origin-request": "arn:aws:cloudfront::123456789012:function/index",
                        "viewer-response": "arn:aws:lambda:us-east-1:123456789012:function:sign:1",
                    },
                    "lambda_functions": {
                        "viewer-request": {"arn": "arn:aws:lambda:us-east-1:123456789012:function:enter:$LATEST"},
                        "origin-response": {
                            "arn": "arn:aws:lambda:eu-west-1:123456789012:function:mark:1",
                            "include_body": True,
                        },
                        "request": {"arn": "arn:aws:lambda:us-east-1:123456789012:function:mark:1"},
                    },
                },
                {"path_pattern": "/*.mp4", "key_group_ids": [_GROUP]},
                {"path_pattern": "/team-b/*.mp4", "key_group_ids": ["group-b"]},
            ],
        },
        [
            'Two origins or origin groups have the same name, and "content" is the module\'s own bucket',
            "open/?.mp4 has a function for origin-request, and function_arns takes only viewer-request and",
            "open/?.mp4 has a function for request, and lambda_functions takes only",
            "function:sign:1 in function_arns, which is not a CloudFront function: use lambda_functions",
            "function:enter:$LATEST, and Lambda@Edge needs the ARN of a version",
            "arn:aws:lambda:eu-west-1:123456789012:function:mark:1, and Lambda@Edge needs",
            "open/?.mp4 has include_body for origin-response, and only requests have a body to show",
            "open/?.mp4 has a CloudFront function and Lambda@Edge for viewer-request",
            "custom_origin_headers has origins that are not in custom_origins: store",
            "An origin group needs two different origins of content, archive, content: same (archive, archive)",
            "unknown (content, gone)",
            "only GET, HEAD and OPTIONS in allowed_methods: /open/* (GET, HEAD, POST)",
            "Use Managed-AllViewerExceptHostHeader: * (Managed-AllViewer)",
            "/open/* opens open/?.mp4",
            "/*.mp4 covers all of /team-b/*.mp4",
        ],
    ),
}


@pytest.mark.parametrize("what", _REFUSED)
def test_a_plan_says_everything_that_is_wrong(modules: dict[str, Any], tmp_path: Path, what: str) -> None:
    given, messages = _REFUSED[what]
    file = tmp_path / "given.tfvars.json"
    file.write_text(json.dumps(given, indent=1))
    said = " ".join(re.sub("[│╷╵]", " ", modules["private-content"]("plan", f"-var-file={file}", expect=1)).split())
    assert [message for message in messages if message not in said] == [], said
    assert "between us" not in said
