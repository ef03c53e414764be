# A link with a token in its path sets signed cookies, which open everything else.

module "trusted_key_group" {
  source = "../../modules/trusted-key-group"

  name = var.name
  keys = { current = file("${coalesce(var.keys, "${path.module}/keys")}/public_key.pem") }
}

# A token is a key, the signed cookies are its value. Who may read the store may use them.
resource "aws_cloudfront_key_value_store" "tokens" {
  name    = "${var.name}-tokens"
  comment = "Tokens, and the signed cookies that they stand for"
}

resource "aws_cloudfront_function" "enter" {
  name                         = "${var.name}-enter"
  comment                      = "Exchanges a token in the path for signed cookies"
  runtime                      = "cloudfront-js-2.0"
  code                         = file("${path.module}/enter.js")
  key_value_store_associations = [aws_cloudfront_key_value_store.tokens.arn]
}

module "content" {
  source = "../../modules/private-content"

  name                  = var.name
  default_key_group_ids = [module.trusted_key_group.key_group_id]
  default_root_object   = "index.html"
  force_destroy         = true # for an example: destroy the content too

  behaviors = [
    {
      path_pattern    = "/enter/*"
      public          = true # the function answers every request, so nothing of the bucket is public
      allowed_methods = ["GET", "HEAD"]
      function_arns   = { viewer-request = aws_cloudfront_function.enter.arn }
    }
  ]
}

resource "aws_s3_object" "index" {
  bucket       = module.content.bucket
  key          = "index.html"
  content      = "<!doctype html><title>Private</title><p>Only with a cookie.\n"
  content_type = "text/html"
}
