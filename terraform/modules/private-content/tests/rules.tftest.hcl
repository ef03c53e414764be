# What the module makes, without an account: the provider is a mock. tests/terraform/modules has what a plan refuses.

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
  mock_data "aws_partition" {
    defaults = { partition = "aws", dns_suffix = "amazonaws.com" }
  }
  mock_data "aws_region" {
    defaults = { id = "eu-central-1" }
  }
}

variables {
  name                  = "films"
  default_key_group_ids = ["group-a"]
}

run "only_this_distribution_reads_the_bucket_and_viewers_sign" {
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
    condition     = one(one(aws_s3_bucket_lifecycle_configuration.content[0].rule).abort_incomplete_multipart_upload).days_after_initiation == 7
    error_message = "Uploads that nobody completes must not stay for ever."
  }
  assert {
    condition     = !aws_s3_bucket.content[0].force_destroy
    error_message = "Nobody loses content by default."
  }
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

run "a_certificate_and_a_log_bucket_of_ones_own" {
  variables {
    aliases         = ["films.example.com"]
    certificate_arn = "arn:aws:acm:us-east-1:123456789012:certificate/12345678-1234-1234-1234-123456789012"
    access_logs     = { bucket_domain_name = "ours.s3.amazonaws.com", prefix = "films/" }
  }
  assert {
    condition     = length(aws_s3_bucket.logs) == 0 && aws_cloudfront_distribution.this.logging_config[0].bucket == "ours.s3.amazonaws.com"
    error_message = "The given bucket must be used, and none made."
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

run "origins_of_every_kind" {
  variables {
    origin_shield_region            = "eu-central-1"
    default_response_headers_policy = "Managed-SecurityHeadersPolicy"

    buckets = {
      archive = { bucket = "films-archive", region = "us-east-1", path = "/films", write_policy = true }
      shared  = { bucket = "everybodys", origin_shield_region = "us-east-1" }
    }
    custom_origins = { shop = { domain_name = "shop.example.com" } }
    function_urls  = { reports = { url = "https://abc.lambda-url.eu-central-1.on.aws/", function_name = "reports" } }
    origin_groups  = { either = { primary = "content", secondary = "archive", status_codes = [403, 500] } }
    access_logs    = { kms_key_arn = "arn:aws:kms:us-east-1:123456789012:key/logs" }

    behaviors = [
      {
        path_pattern            = "/reports/*"
        key_group_ids           = ["group-b"]
        origin                  = "reports"
        origin_request_policy   = "Managed-AllViewerExceptHostHeader"
        response_headers_policy = "Managed-SimpleCORS"
        function_arns           = { viewer-request = "arn:aws:cloudfront::123456789012:function/index" }
        lambda_functions = {
          origin-request = { arn = "arn:aws:lambda:us-east-1:123456789012:function:rewrite:3", include_body = true }
        }
      },
      { path_pattern = "/either/*", key_group_ids = ["group-a"], origin = "either" },
    ]
  }
  assert {
    condition = { for o in aws_cloudfront_distribution.this.origin : o.origin_id => "${o.domain_name}${o.origin_path}" } == {
      content = "films-content.s3.eu-central-1.amazonaws.com"
      archive = "films-archive.s3.us-east-1.amazonaws.com/films"
      shared  = "everybodys.s3.eu-central-1.amazonaws.com"
      shop    = "shop.example.com"
      reports = "abc.lambda-url.eu-central-1.on.aws"
    }
    error_message = "Each origin must have its host and its path."
  }
  assert {
    condition     = [for o in aws_cloudfront_distribution.this.origin : o.origin_id if o.origin_access_control_id == null || o.origin_access_control_id == ""] == ["shop"]
    error_message = "CloudFront must sign requests to buckets and functions."
  }
  assert {
    condition = { for type, control in aws_cloudfront_origin_access_control.existing : type => control.origin_access_control_origin_type } == {
      lambda = "lambda", s3 = "s3",
    }
    error_message = "Buckets and functions need access controls of their own types."
  }
  assert {
    condition     = { for o in aws_cloudfront_distribution.this.origin : o.origin_id => one(o.origin_shield[*].origin_shield_region) if length(o.origin_shield) > 0 } == { content = "eu-central-1", shared = "us-east-1" }
    error_message = "Origin Shield must be where it is asked for."
  }
  assert {
    condition     = one(aws_cloudfront_distribution.this.origin_group).member[*].origin_id == tolist(["content", "archive"]) && one(one(aws_cloudfront_distribution.this.origin_group).failover_criteria).status_codes == toset([403, 500])
    error_message = "The group must ask the primary origin first."
  }
  assert {
    condition     = keys(aws_s3_bucket_policy.existing) == ["archive"] && aws_s3_bucket_policy.existing["archive"].bucket == "films-archive"
    error_message = "The policy of a bucket must be written only if asked for."
  }
  assert {
    condition     = jsondecode(output.bucket_policies_json["shared"]).Statement[0].Resource == "arn:aws:s3:::everybodys/*" && keys(output.bucket_policies_json) == ["archive", "content", "shared"]
    error_message = "Each bucket's policy must be there to add."
  }
  assert {
    condition     = [aws_lambda_permission.function["reports"].action, aws_lambda_permission.function_url["reports"].action] == ["lambda:InvokeFunction", "lambda:InvokeFunctionUrl"]
    error_message = "The distribution needs both permissions."
  }
  assert {
    condition     = alltrue([for p in [aws_lambda_permission.function["reports"], aws_lambda_permission.function_url["reports"]] : p.source_arn == "arn:aws:cloudfront::123456789012:distribution/EDFDVBD6EXAMPLE" && p.principal == "cloudfront.amazonaws.com"])
    error_message = "Only this distribution may call the function."
  }
  assert {
    condition = (
      one(aws_cloudfront_distribution.this.ordered_cache_behavior[0].lambda_function_association).include_body
      && one(aws_cloudfront_distribution.this.ordered_cache_behavior[0].function_association).event_type == "viewer-request"
    )
    error_message = "Both kinds of functions must be associated."
  }
  assert {
    condition = (
      aws_cloudfront_distribution.this.ordered_cache_behavior[0].response_headers_policy_id == data.aws_cloudfront_response_headers_policy.named["Managed-SimpleCORS"].id
      && aws_cloudfront_distribution.this.ordered_cache_behavior[1].response_headers_policy_id == data.aws_cloudfront_response_headers_policy.named["Managed-SecurityHeadersPolicy"].id
      && aws_cloudfront_distribution.this.default_cache_behavior[0].response_headers_policy_id == data.aws_cloudfront_response_headers_policy.named["Managed-SecurityHeadersPolicy"].id
    )
    error_message = "The default policy is for behaviors without one."
  }
  assert {
    condition = one([
      for r in aws_s3_bucket_server_side_encryption_configuration.logs[0].rule : r.apply_server_side_encryption_by_default[0].kms_master_key_id
    ]) == "arn:aws:kms:us-east-1:123456789012:key/logs"
    error_message = "The logs must be encrypted with the given key."
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
