locals {
  parameter = startswith(var.signer, "ssm:") ? trimprefix(var.signer, "ssm:") : null

  environment = merge(var.environment, { for name, value in {
    CLOUDFRONT_DOMAIN     = var.cloudfront_domain
    KEYPAIR_ID            = var.key_pair_id
    PRIVATE_KEY_PARAMETER = local.parameter
    SIGNER                = local.parameter == null ? var.signer : null
    ENTITLEMENTS_TABLE    = try(var.entitlements_table.name, null)
  } : name => value if value != null })

  # Not a validation of the variable, because that would show the key.
  with_keys = [for name, value in var.environment : name if strcontains(upper(coalesce(value, "-")), "PRIVATE KEY---")]
}

resource "aws_lambda_function" "this" {
  function_name = var.name
  description   = "Signs CloudFront links for customers who may download"
  role          = aws_iam_role.this.arn

  filename          = var.package.zip
  source_code_hash  = var.package.zip == null ? null : filebase64sha256(var.package.zip)
  s3_bucket         = var.package.s3_bucket
  s3_key            = var.package.s3_key
  s3_object_version = var.package.s3_object_version

  handler       = var.handler
  runtime       = var.runtime
  architectures = [var.architecture]
  memory_size   = var.memory_mb
  timeout       = var.timeout_seconds
  layers        = var.layers
  tags          = var.tags

  environment {
    variables = local.environment
  }

  logging_config {
    log_format = "Text"
    log_group  = aws_cloudwatch_log_group.function.name
  }

  # The first call already needs these permissions.
  depends_on = [aws_iam_role_policy.signing, aws_iam_role_policy.logs, aws_iam_role_policy.entitlements]

  lifecycle {
    precondition {
      condition     = length(local.with_keys) == 0
      error_message = "environment holds a private key (${join(", ", local.with_keys)}), which would be in the state and in the function's configuration: use the module signing-key for it."
    }
  }
}

resource "aws_cloudwatch_log_group" "function" {
  name              = "/aws/lambda/${var.name}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.log_kms_key_arn
  tags              = var.tags
}
