# Configurations that the plan refuses, before any request to Amazon.

mock_provider "aws" {}

variables {
  name              = "rules"
  package           = { zip = "tests/package.zip" }
  cloudfront_domain = "d111111abcdef8.cloudfront.net"
  signer            = "ssm:/rules"

  signing_policy_json = jsonencode({
    Statement = [{ Effect = "Allow", Action = "ssm:GetParameter", Resource = "arn:aws:ssm:us-east-1:123456789012:parameter/rules" }]
  })
}

run "a_layer" {
  command = plan

  variables {
    layers = ["arn:aws:lambda:eu-central-1:187925254637:layer:AWS-Parameters-and-Secrets-Lambda-Extension:12"]
  }

  assert {
    condition     = length(aws_lambda_function.this.layers) == 1
    error_message = "the layer is not the function's"
  }
}

run "a_private_key_in_the_environment" {
  command = plan

  variables {
    environment = { KEY = "-----BEGIN PRIVATE KEY-----\nsecret\n-----END PRIVATE KEY-----" }
  }

  expect_failures = [aws_lambda_function.this]
}

# What a variable refuses. A variable's value may stand for several faults, so there are three runs.

run "values_that_amazon_or_the_backend_does_not_take" {
  command = plan

  variables {
    name               = "a name"
    package            = { zip = "no/such/function.zip" }
    architecture       = "riscv"
    memory_mb          = 64
    timeout_seconds    = 60
    layers             = ["arn:aws:lambda:eu-central-1:187925254637:layer:AWS-Parameters-and-Secrets-Lambda-Extension"]
    cloudfront_domain  = "shop.s3.eu-central-1.amazonaws.com"
    key_pair_id        = "b3ee3859-7e14-4235-abdb-195ff195395c" # a key group's
    environment        = { KEYPAIR_ID = "K2JCJMDEHXQW5F" }
    log_kms_key_arn    = "alias/logs"
    log_retention_days = 31
    routes             = ["/download"]
    jwt_authorizer     = { issuer = "http://login.example.com", audiences = [] }
    throttling_rate    = 0
    throttling_burst   = 0.5

    # A role that may do more.
    signing_policy_json = jsonencode({
      Statement = [{ Effect = "Allow", Action = ["ssm:GetParameter", "s3:GetObject"], Resource = "arn:aws:ssm:us-east-1:123456789012:parameter/rules" }]
    })
  }

  expect_failures = [
    var.name, var.package, var.architecture, var.memory_mb, var.timeout_seconds, var.layers, var.cloudfront_domain,
    var.key_pair_id, var.environment, var.log_kms_key_arn, var.log_retention_days, var.routes, var.jwt_authorizer,
    var.throttling_rate, var.throttling_burst, var.signing_policy_json,
  ]
}

run "values_that_contradict_each_other" {
  command = plan

  variables {
    package       = { zip = "tests/package.zip", s3_bucket = "packages", s3_key = "function.zip" }
    signer        = "kms:alias/rules" # without the key's id in CloudFront
    public_routes = ["$default"]

    environment = { KEYFRONT_ENTITLEMENTS = "keyfront.backend:anybody" }
    entitlements_table = {
      name            = "sold"
      iam_policy_json = jsonencode({ Statement = [{ Effect = "Allow", Action = "dynamodb:GetItem", Resource = "arn:aws:dynamodb:us-east-1:123456789012:table/sold" }] })
    }

    # A role that may read every parameter.
    signing_policy_json = jsonencode({
      Statement = { Effect = "Allow", Action = "ssm:GetParameter", Resource = "*" }
    })
  }

  expect_failures = [var.package, var.signer, var.public_routes, var.entitlements_table, var.signing_policy_json]
}

run "policies_that_allow_too_much" {
  command = plan

  variables {
    key_pair_id = "E1ABCDEFGHIJKL" # a distribution's

    entitlements_table = {
      name            = "sold"
      iam_policy_json = jsonencode({ Statement = [{ Effect = "Allow", Action = "dynamodb:PutItem", Resource = "arn:aws:dynamodb:us-east-1:123456789012:table/sold" }] })
    }

    # A role that may do all but something.
    signing_policy_json = jsonencode({
      Statement = [{ Effect = "Allow", NotAction = "iam:*", Resource = "arn:aws:ssm:us-east-1:123456789012:parameter/rules" }]
    })
  }

  expect_failures = [var.key_pair_id, var.entitlements_table, var.signing_policy_json]
}
