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

run "a_package_that_is_not_there" {
  command = plan

  variables {
    package = { zip = "no/such/function.zip" }
  }

  expect_failures = [var.package]
}

run "a_layer_without_its_version" {
  command = plan

  variables {
    layers = ["arn:aws:lambda:eu-central-1:187925254637:layer:AWS-Parameters-and-Secrets-Lambda-Extension"]
  }

  expect_failures = [var.layers]
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

run "the_id_of_a_key_group_as_the_keys" {
  command = plan

  variables {
    key_pair_id = "b3ee3859-7e14-4235-abdb-195ff195395c"
  }

  expect_failures = [var.key_pair_id]
}

run "the_id_of_a_distribution_as_the_keys" {
  command = plan

  variables {
    key_pair_id = "E1ABCDEFGHIJKL"
  }

  expect_failures = [var.key_pair_id]
}

run "two_packages" {
  command = plan

  variables {
    package = { zip = "tests/package.zip", s3_bucket = "packages", s3_key = "function.zip" }
  }

  expect_failures = [var.package]
}

run "a_role_that_may_do_more" {
  command = plan

  variables {
    signing_policy_json = jsonencode({
      Statement = [{ Effect = "Allow", Action = ["ssm:GetParameter", "s3:GetObject"], Resource = "arn:aws:ssm:us-east-1:123456789012:parameter/rules" }]
    })
  }

  expect_failures = [var.signing_policy_json]
}

run "a_role_that_may_read_every_parameter" {
  command = plan

  variables {
    signing_policy_json = jsonencode({
      Statement = { Effect = "Allow", Action = "ssm:GetParameter", Resource = "*" }
    })
  }

  expect_failures = [var.signing_policy_json]
}

run "a_role_that_may_do_all_but_something" {
  command = plan

  variables {
    signing_policy_json = jsonencode({
      Statement = [{ Effect = "Allow", NotAction = "iam:*", Resource = "arn:aws:ssm:us-east-1:123456789012:parameter/rules" }]
    })
  }

  expect_failures = [var.signing_policy_json]
}

run "a_kms_key_without_its_id_in_cloudfront" {
  command = plan

  variables {
    signer = "kms:alias/rules"
  }

  expect_failures = [var.signer]
}

run "a_bucket_as_distribution" {
  command = plan

  variables {
    cloudfront_domain = "shop.s3.eu-central-1.amazonaws.com"
  }

  expect_failures = [var.cloudfront_domain]
}

run "a_private_key_in_the_environment" {
  command = plan

  variables {
    environment = { KEY = "-----BEGIN PRIVATE KEY-----\nsecret\n-----END PRIVATE KEY-----" }
  }

  expect_failures = [aws_lambda_function.this]
}

run "settings_that_follow_from_others" {
  command = plan

  variables {
    environment = { KEYPAIR_ID = "K2JCJMDEHXQW5F" }
  }

  expect_failures = [var.environment]
}

run "a_table_whose_policy_writes_too" {
  command = plan

  variables {
    environment     = { KEYFRONT_ENTITLEMENTS = "keyfront.backend:anybody" }
    log_kms_key_arn = "alias/logs"
    entitlements_table = {
      name            = "sold"
      iam_policy_json = jsonencode({ Statement = [{ Effect = "Allow", Action = "dynamodb:PutItem", Resource = "arn:aws:dynamodb:us-east-1:123456789012:table/sold" }] })
    }
  }

  expect_failures = [var.entitlements_table, var.log_kms_key_arn]
}

run "values_that_amazon_does_not_take" {
  command = plan

  variables {
    name               = "a name"
    architecture       = "riscv"
    memory_mb          = 64
    timeout_seconds    = 60
    log_retention_days = 31
    routes             = ["/download"]
    jwt_authorizer     = { issuer = "http://login.example.com", audiences = [] }
    throttling_rate    = 0
    throttling_burst   = 0.5
  }

  expect_failures = [
    var.name, var.architecture, var.memory_mb, var.timeout_seconds, var.log_retention_days, var.routes,
    var.jwt_authorizer, var.throttling_rate, var.throttling_burst,
  ]
}

run "one_route_that_is_guarded_and_public" {
  command = plan

  variables {
    public_routes = ["$default"]
  }

  expect_failures = [var.public_routes]
}
