# A private single-page application: POST /session sets signed cookies, and every path of the application is its index
# document. Preflights are answered in the behavior without key groups.

module "signing_key" {
  source = "../../modules/signing-key"

  name                     = var.name
  kind                     = "kms"
  kms_key_spec             = "ECC_NIST_P256" # short cookies
  kms_deletion_window_days = 7
}

module "trusted_key_group" {
  source = "../../modules/trusted-key-group"

  name     = var.name
  kms_keys = { current = module.signing_key.kms_key_arn }
}

resource "aws_cloudfront_function" "preflight" {
  name    = "${var.name}-preflight"
  comment = "Answers preflights of /session"
  runtime = "cloudfront-js-2.0"
  code    = replace(file("${path.module}/preflight.js"), "https://www.example.com", var.allowed_origin)
}

resource "aws_cloudfront_function" "index" {
  name    = "${var.name}-index"
  comment = "Every path of the application is its index document"
  runtime = "cloudfront-js-2.0"
  code    = file("${path.module}/index.js")
}

# Requests of the other host that need no preflight (GET with credentials) are allowed by this policy.
resource "aws_cloudfront_response_headers_policy" "cors" {
  name    = "${var.name}-cors"
  comment = "${var.allowed_origin} may read responses, with cookies"

  cors_config {
    access_control_allow_credentials = true
    origin_override                  = true

    access_control_allow_origins {
      items = [var.allowed_origin]
    }
    access_control_allow_methods {
      items = ["GET", "HEAD", "POST"]
    }
    access_control_allow_headers {
      items = ["x-access-code"]
    }
  }
}

module "content" {
  source = "../../modules/private-content"

  name                  = var.name
  default_key_group_ids = [module.trusted_key_group.key_group_id]
  force_destroy         = true # for an example: destroy the content too

  default_behavior = {
    allowed_methods            = ["GET", "HEAD"] # OPTIONS would be refused anyway
    function_arns              = { viewer-request = aws_cloudfront_function.index.arn }
    response_headers_policy_id = aws_cloudfront_response_headers_policy.cors.id
  }

  behaviors = [
    {
      path_pattern               = "/session"
      public                     = true
      origin                     = "session"
      allowed_methods            = ["GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE"]
      cache_policy               = "Managed-CachingDisabled"
      origin_request_policy      = "Managed-AllViewerExceptHostHeader"
      response_headers_policy_id = aws_cloudfront_response_headers_policy.cors.id
      function_arns              = { viewer-request = aws_cloudfront_function.preflight.arn }
    }
  ]

  function_urls = {
    session = {
      url           = aws_lambda_function_url.session.function_url
      function_name = aws_lambda_function.session.function_name
    }
  }
}

resource "aws_s3_object" "index" {
  bucket       = module.content.bucket
  key          = "index.html"
  content      = "<!doctype html><title>Private</title><p>Only with a cookie.\n"
  content_type = "text/html"
}
