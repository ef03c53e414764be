# The module's rules, without an account: the provider is a mock.

mock_provider "aws" {
  mock_resource "aws_s3_bucket" {
    defaults = {
      id                          = "films-content"
      arn                         = "arn:aws:s3:::films-content"
      bucket_domain_name          = "films-content.s3.amazonaws.com"
      bucket_regional_domain_name = "films-content.s3.eu-central-1.amazonaws.com"
    }
  }
  mock_resource "aws_cloudfront_distribution" {
    defaults = {
      arn         = "arn:aws:cloudfront::123456789012:distribution/EDFDVBD6EXAMPLE"
      domain_name = "d111111abcdef8.cloudfront.net"
    }
  }
  mock_resource "aws_cloudfront_origin_access_control" {
    defaults = { id = "E1EXAMPLE" }
  }
}

variables {
  name                  = "films"
  default_key_group_ids = ["group-a"]
}

run "the_bucket_is_private_versioned_and_encrypted" {
  assert {
    condition = alltrue([
      aws_s3_bucket_public_access_block.content[0].block_public_acls,
      aws_s3_bucket_public_access_block.content[0].block_public_policy,
      aws_s3_bucket_public_access_block.content[0].ignore_public_acls,
      aws_s3_bucket_public_access_block.content[0].restrict_public_buckets,
    ])
    error_message = "Public access must be blocked in all four ways."
  }
  assert {
    condition     = aws_s3_bucket_ownership_controls.content[0].rule[0].object_ownership == "BucketOwnerEnforced"
    error_message = "ACLs must be off."
  }
  assert {
    condition     = aws_s3_bucket_versioning.content[0].versioning_configuration[0].status == "Enabled"
    error_message = "Versions must be kept."
  }
  assert {
    condition = one([
      for r in aws_s3_bucket_server_side_encryption_configuration.content[0].rule : r.apply_server_side_encryption_by_default[0].sse_algorithm
    ]) == "AES256"
    error_message = "The content must be encrypted."
  }
  assert {
    condition     = !aws_s3_bucket.content[0].force_destroy
    error_message = "Nobody loses content by default."
  }
}

run "only_this_distribution_reads_and_only_over_tls" {
  assert {
    condition = jsondecode(aws_s3_bucket_policy.content[0].policy).Statement == [
      {
        Sid       = "OnlyThisDistributionReads"
        Effect    = "Allow"
        Principal = { Service = "cloudfront.amazonaws.com" }
        Action    = "s3:GetObject"
        Resource  = "arn:aws:s3:::films-content/*"
        Condition = { StringEquals = { "AWS:SourceArn" = "arn:aws:cloudfront::123456789012:distribution/EDFDVBD6EXAMPLE" } }
      },
      {
        Sid       = "NothingWithoutTLS"
        Effect    = "Deny"
        Principal = "*"
        Action    = "s3:*"
        Resource  = ["arn:aws:s3:::films-content", "arn:aws:s3:::films-content/*"]
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]
    error_message = "The bucket's policy must let in this distribution alone: ${aws_s3_bucket_policy.content[0].policy}"
  }
  assert {
    condition = (
      aws_cloudfront_origin_access_control.content[0].signing_behavior == "always"
      && one(aws_cloudfront_distribution.this.origin).origin_access_control_id == "E1EXAMPLE"
      && length(one(aws_cloudfront_distribution.this.origin).s3_origin_config) == 0
    )
    error_message = "CloudFront must sign its reads of the bucket."
  }
}

run "the_distribution_asks_for_https_and_signatures" {
  assert {
    condition     = aws_cloudfront_distribution.this.default_cache_behavior[0].viewer_protocol_policy == "https-only"
    error_message = "Plain HTTP must be refused."
  }
  assert {
    condition     = aws_cloudfront_distribution.this.default_cache_behavior[0].trusted_key_groups == tolist(["group-a"])
    error_message = "The default behavior must trust the key group."
  }
  assert {
    condition     = try(length(aws_cloudfront_distribution.this.default_cache_behavior[0].trusted_signers), 0) == 0
    error_message = "Legacy signers need the root user: none."
  }
  assert {
    condition     = aws_cloudfront_distribution.this.http_version == "http2and3" && !aws_cloudfront_distribution.this.is_ipv6_enabled
    error_message = "HTTP/2 and 3; IPv6 only on request."
  }
  assert {
    condition     = length(aws_cloudfront_distribution.this.logging_config) == 0 && length(aws_s3_bucket.logs) == 0
    error_message = "Access logs only on request."
  }
  assert {
    condition     = output.url == "https://d111111abcdef8.cloudfront.net"
    error_message = "The url must be the distribution's."
  }
}

run "a_certificate_of_ones_own_means_tls_1_2" {
  variables {
    aliases         = ["films.example.com"]
    certificate_arn = "arn:aws:acm:us-east-1:123456789012:certificate/12345678-1234-1234-1234-123456789012"
  }
  assert {
    condition = (
      aws_cloudfront_distribution.this.viewer_certificate[0].minimum_protocol_version == "TLSv1.2_2021"
      && aws_cloudfront_distribution.this.viewer_certificate[0].ssl_support_method == "sni-only"
    )
    error_message = "TLS 1.2 must be the least."
  }
  assert {
    condition     = output.url == "https://films.example.com"
    error_message = "The url must be the alias."
  }
}

run "an_alias_without_a_certificate_is_refused" {
  command = plan
  variables {
    aliases = ["films.example.com"]
  }
  expect_failures = [var.certificate_arn]
}

run "a_certificate_of_another_region_is_refused" {
  command = plan
  variables {
    aliases         = ["films.example.com"]
    certificate_arn = "arn:aws:acm:eu-central-1:123456789012:certificate/12345678-1234-1234-1234-123456789012"
  }
  expect_failures = [var.certificate_arn]
}

run "a_default_behavior_that_nobody_protects_is_refused" {
  command = plan
  variables {
    default_key_group_ids = []
  }
  expect_failures = [var.default_key_group_ids]
}

run "a_default_behavior_both_open_and_protected_is_refused" {
  command = plan
  variables {
    public_default = true
  }
  expect_failures = [var.default_key_group_ids]
}

run "a_public_default_is_there_for_who_says_so" {
  variables {
    default_key_group_ids = []
    public_default        = true
    behaviors             = [{ path_pattern = "/private/*", key_group_ids = ["group-a"] }]
  }
  assert {
    condition     = length(coalesce(aws_cloudfront_distribution.this.default_cache_behavior[0].trusted_key_groups, [])) == 0
    error_message = "The default behavior must be open."
  }
  assert {
    condition     = aws_cloudfront_distribution.this.ordered_cache_behavior[0].trusted_key_groups == tolist(["group-a"])
    error_message = "/private/* must stay protected."
  }
}

run "a_behavior_that_nobody_protects_is_refused" {
  command = plan
  variables {
    behaviors = [{ path_pattern = "/films/*" }]
  }
  expect_failures = [var.behaviors]
}

run "a_behavior_both_open_and_protected_is_refused" {
  command = plan
  variables {
    behaviors = [{ path_pattern = "/films/*", public = true, key_group_ids = ["group-b"] }]
  }
  expect_failures = [var.behaviors]
}

run "plain_http_is_refused" {
  command = plan
  variables {
    behaviors = [{ path_pattern = "/films/*", key_group_ids = ["group-b"], viewer_protocol_policy = "allow-all" }]
  }
  expect_failures = [var.behaviors]
}

run "plain_http_by_default_is_refused" {
  command = plan
  variables {
    default_behavior = { viewer_protocol_policy = "allow-all" }
  }
  expect_failures = [var.default_behavior]
}

run "an_origin_that_does_not_exist_is_refused" {
  command = plan
  variables {
    behaviors = [{ path_pattern = "/films/*", key_group_ids = ["group-b"], origin = "shop" }]
  }
  expect_failures = [var.behaviors]
}

run "a_query_string_in_a_pattern_is_refused" {
  command = plan
  variables {
    behaviors = [{ path_pattern = "/films/*?v=1", key_group_ids = ["group-b"] }]
  }
  expect_failures = [var.behaviors]
}

run "an_open_behavior_before_a_protected_one_that_it_covers_is_refused" {
  command = plan
  variables {
    behaviors = [
      { path_pattern = "/films/*", public = true },
      { path_pattern = "films/new/?.mp4", key_group_ids = ["group-b"] },
    ]
  }
  expect_failures = [aws_cloudfront_distribution.this]
}

run "a_behavior_that_can_never_be_reached_is_refused" {
  command = plan
  variables {
    behaviors = [
      { path_pattern = "/*.mp4", key_group_ids = ["group-a"] },
      { path_pattern = "/team-b/*.mp4", key_group_ids = ["group-b"] },
    ]
  }
  expect_failures = [aws_cloudfront_distribution.this]
}

run "an_open_behavior_that_covers_only_a_part_is_kept" {
  command = plan
  variables {
    behaviors = [
      { path_pattern = "/films/*.jpg", public = true },
      { path_pattern = "/films/trailer.?", public = true },
      { path_pattern = "/films/*", key_group_ids = ["group-b"] },
      { path_pattern = "/films.*", key_group_ids = ["group-b"] },
      { path_pattern = "/filmsX*", key_group_ids = ["group-b"] },
    ]
  }
  assert {
    condition     = [for b in aws_cloudfront_distribution.this.ordered_cache_behavior : b.path_pattern] == ["/films/*.jpg", "/films/trailer.?", "/films/*", "/films.*", "/filmsX*"]
    error_message = "The order must be the list's."
  }
}

run "a_custom_origin_needs_no_bucket" {
  variables {
    create_bucket         = false
    custom_origins        = { shop = { domain_name = "shop.example.com", http_port = 8080, protocol_policy = "http-only" } }
    custom_origin_headers = { shop = { X-Origin-Secret = "between us" } }
  }
  assert {
    condition     = length(aws_s3_bucket.content) == 0 && length(aws_cloudfront_origin_access_control.content) == 0 && output.bucket == null
    error_message = "There must be no bucket."
  }
  assert {
    condition     = aws_cloudfront_distribution.this.default_cache_behavior[0].target_origin_id == "shop"
    error_message = "The only origin must answer by default."
  }
  assert {
    condition = nonsensitive([
      for o in aws_cloudfront_distribution.this.origin : o.custom_origin_config[0].http_port == 8080
      && o.custom_origin_config[0].origin_protocol_policy == "http-only" && one(o.custom_header).value == "between us"
    ][0])
    error_message = "Port, protocol and header must be as given."
  }
}

run "nothing_to_serve_is_refused" {
  command = plan
  variables {
    create_bucket = false
  }
  expect_failures = [var.create_bucket]
}

run "a_url_for_an_origins_domain_name_is_refused" {
  command = plan
  variables {
    custom_origins = { shop = { domain_name = "https://shop.example.com:8080" } }
  }
  expect_failures = [var.custom_origins]
}

run "a_secret_header_for_nobody_is_refused" {
  command = plan
  variables {
    custom_origin_headers = { shop = { X-Origin-Secret = "between us" } }
  }
  expect_failures = [var.custom_origin_headers]
}

run "access_logs_get_a_bucket_that_cloudfront_may_write_to" {
  variables {
    access_logs = {}
  }
  assert {
    condition     = aws_s3_bucket_ownership_controls.logs[0].rule[0].object_ownership == "BucketOwnerPreferred"
    error_message = "CloudFront writes its logs by an ACL."
  }
  assert {
    condition     = aws_s3_bucket_public_access_block.logs[0].restrict_public_buckets && length(aws_s3_bucket_lifecycle_configuration.logs) == 1
    error_message = "Logs must be private, and must not stay for ever."
  }
  assert {
    condition     = !aws_cloudfront_distribution.this.logging_config[0].include_cookies
    error_message = "Signed cookies must not be in the logs unless asked for."
  }
}

run "access_logs_go_to_a_bucket_that_is_given" {
  variables {
    access_logs = { bucket_domain_name = "ours.s3.amazonaws.com", prefix = "films/" }
  }
  assert {
    condition     = length(aws_s3_bucket.logs) == 0 && aws_cloudfront_distribution.this.logging_config[0].bucket == "ours.s3.amazonaws.com"
    error_message = "The given bucket must be used, and none made."
  }
}

run "ids_of_keys_instead_of_key_groups" {
  command = plan

  variables {
    default_key_group_ids = ["K2JCJMDEHXQW5F"]
    behaviors             = [{ path_pattern = "/films/*", key_group_ids = ["K2JCJMDEHXQW5F"] }]
  }

  expect_failures = [var.default_key_group_ids, var.behaviors]
}
