# Our modules with every option that makes a resource or a request of its own, and then with all of that changed: what
# whoever applies them must be allowed to do. `revision` 1 is made first; 2 changes it.

terraform {
  required_version = ">= 1.11"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.88, < 7"
    }
  }
}

provider "aws" {
  region = "us-east-1"

  # As most configurations have it, and objects get these too.
  default_tags {
    tags = local.first ? { stage = "one", owner = "shop" } : { stage = "two" }
  }
}

variable "revision" {
  description = "1, or 2 for everything changed."
  type        = number
  default     = 1
}

variable "keys" {
  description = "Public keys (PEM): a and b."
  type        = map(string)
}

variable "package" {
  description = "The function's package."
  type        = string
}

# What exists already.

variable "archive" {
  description = "The name of a bucket."
  type        = string
}

variable "edge_function_arn" {
  description = "A version of a Lambda@Edge function."
  type        = string
}

variable "reports" {
  description = "A function with a function URL."
  type        = object({ url = string, function_name = string })
}

variable "log_key_arn" {
  description = "A KMS key for logs."
  type        = string
}

locals {
  first = var.revision == 1
  name  = "keyfront-grown"
}

data "aws_caller_identity" "this" {}

module "kms" {
  source   = "../../modules/signing-key"
  for_each = { renamed = "ECC_NIST_P256", remade = local.first ? "RSA_2048" : "ECC_NIST_P256" }

  kind         = "kms"
  name         = each.key == "renamed" && !local.first ? "${local.name}-named" : "${local.name}-${each.key}"
  kms_key_spec = each.value
  kms_policy_json = each.key == "remade" ? null : jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = local.first ? "First" : "Second"
      Effect    = "Allow"
      Action    = "kms:*"
      Resource  = "*"
      Principal = { AWS = "arn:aws:iam::${data.aws_caller_identity.this.account_id}:root" }
    }]
  })
}

module "parameter" {
  source = "../../modules/signing-key"

  kind           = "parameter"
  name           = "${local.name}/key"
  public_key_pem = var.keys["a"]
}

module "group" {
  source = "../../modules/trusted-key-group"

  name    = local.first ? local.name : "${local.name}-2"
  comment = local.first ? "first" : "second"
  keys    = local.first ? { a = var.keys["a"] } : var.keys
  current = "a"
}

module "content" {
  source = "../../modules/private-content"

  name                  = local.first ? local.name : "${local.name}-2"
  bucket_name           = "${local.name}-content"
  bucket_kms_key_arn    = null
  default_key_group_ids = [module.group.key_group_id]
  wait_for_deployment   = false
  force_destroy         = true
  access_logs           = { expire_days = local.first ? 30 : 60, kms_key_arn = local.first ? null : var.log_key_arn }

  abort_incomplete_uploads_days   = local.first ? 7 : 3
  origin_shield_region            = local.first ? "us-east-1" : null
  default_response_headers_policy = local.first ? null : "Managed-SecurityHeadersPolicy"

  buckets       = { archive = { bucket = var.archive, write_policy = true, origin_shield_region = local.first ? null : "us-east-1" } }
  function_urls = local.first ? {} : { reports = var.reports }
  origin_groups = local.first ? {} : { either = { primary = "content", secondary = "archive", status_codes = [403] } }

  default_behavior = {
    origin_request_policy   = local.first ? null : "Managed-CORS-S3Origin"
    response_headers_policy = local.first ? "Managed-SimpleCORS" : null
  }
  behaviors = [for behavior in [
    {
      path_pattern     = "/films/*"
      key_group_ids    = [module.group.key_group_id]
      origin           = "either"
      cache_policy_id  = terraform_data.caching_disabled.output
      lambda_functions = { origin-request = { arn = var.edge_function_arn, include_body = true } }
    },
    {
      path_pattern          = "/reports/*"
      key_group_ids         = [module.group.key_group_id]
      origin                = "reports"
      cache_policy          = "Managed-CachingDisabled"
      origin_request_policy = "Managed-AllViewerExceptHostHeader"
    },
  ] : behavior if !local.first]
}

# An id that is not known before the apply, as that of a policy made in it: Managed-CachingDisabled.
resource "terraform_data" "caching_disabled" {
  input = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
}

module "entitlements" {
  source = "../../modules/entitlements-table"

  name                = local.name
  deletion_protection = local.first
  tags                = local.first ? { shelf = "one" } : {}
}

resource "aws_s3_object" "package" {
  bucket = module.content.bucket
  key    = "package.zip"
  source = var.package
}

resource "aws_s3_object" "page" {
  bucket  = module.content.bucket
  key     = "page.html"
  content = local.first ? "one" : "two"
}

module "endpoint" {
  source = "../../modules/download-endpoint"

  name                = local.name
  package             = local.first ? { zip = var.package } : { s3_bucket = module.content.bucket, s3_key = aws_s3_object.package.key }
  handler             = "index.handler"
  runtime             = "nodejs22.x"
  memory_mb           = local.first ? 128 : 256
  cloudfront_domain   = module.content.domain_name
  signer              = module.parameter.signer
  signing_policy_json = local.first ? module.parameter.iam_policy_json : module.kms["remade"].iam_policy_json
  access_log          = true
  log_kms_key_arn     = local.first ? null : var.log_key_arn
  entitlements_table  = local.first ? null : module.entitlements
  log_retention_days  = local.first ? 7 : 14
  throttling_rate     = local.first ? 50 : 60
  routes              = local.first ? ["GET /one"] : ["GET /one", "GET /two"]
  public_routes       = ["GET /open"]
  jwt_authorizer      = { issuer = "https://login.example.com", audiences = [local.first ? "one" : "two"] }
}

output "url" {
  value = module.content.url
}

output "key_pair_id" {
  value = module.group.current_key_id
}
