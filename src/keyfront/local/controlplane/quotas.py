"""Quotas: how many resources an account may have."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Quotas:
    """CloudFront's default quotas (Developer Guide, "Quotas"). Amazon can raise most of them, keyfront all."""

    public_keys: int = 10
    public_keys_per_key_group: int = 5
    key_groups: int = 10
    key_groups_per_cache_behavior: int = 4
    distributions_per_key_group: int = 100

    distributions: int = 500
    aliases_per_distribution: int = 100
    origins_per_distribution: int = 25
    origin_groups_per_distribution: int = 10
    cache_behaviors_per_distribution: int = 75
    """The default cache behavior is not counted."""
    custom_headers_per_origin: int = 30
    custom_header_name_characters: int = 256
    custom_header_value_characters: int = 1783
    custom_headers_characters: int = 10240
    """The total length of the names and values of one origin's custom headers."""
    forwarded_headers_per_cache_behavior: int = 10
    forwarded_cookies_per_cache_behavior: int = 10
    forwarded_query_strings_per_cache_behavior: int = 10
    tags_per_resource: int = 50

    origin_access_identities: int = 100
    origin_access_controls: int = 100
    distributions_per_origin_access_control: int = 100

    cache_policies: int = 20
    origin_request_policies: int = 20
    response_headers_policies: int = 20
    distributions_per_policy: int = 100
    names_per_policy: int = 10
    """Headers in a cache policy or origin request policy. Cookies and query strings each have the same quota."""
    name_characters_per_policy: int = 1024
    """The total length of all these names in one policy."""
    custom_headers_per_response_headers_policy: int = 10
    removed_headers_per_response_headers_policy: int = 10
    content_security_policy_characters: int = 1783
    functions: int = 100
    function_bytes: int = 10 * 1024
    key_value_stores: int = 50
    function_associations_per_distribution: int = 100

    realtime_log_configs: int = 150
    continuous_deployment_policies: int = 20
    staging_distributions: int = 20
    vpc_origins: int = 25
    encryption_configs: int = 10
    encryption_profiles: int = 10
    encryption_entities_per_profile: int = 1
    field_patterns_per_profile: int = 10
    query_argument_profiles_per_encryption: int = 5
    distributions_per_encryption: int = 20

    invalidation_paths_in_progress: int = 3000
    invalidation_wildcards_in_progress: int = 15
