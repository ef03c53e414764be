# Configurations that the plan refuses, before any request to Amazon.

mock_provider "aws" {}

variables {
  name = "rules"
  kind = "parameter"
}

run "another_kind" {
  command = plan

  variables {
    kind           = "vault"
    public_key_pem = file("tests/keys/public.pem")
  }

  expect_failures = [var.kind]
}

run "a_parameter_without_its_public_half" {
  command = plan

  expect_failures = [output.public_key_pem]
}

run "a_private_key_as_the_public_half" {
  command = plan

  variables {
    public_key_pem = "-----BEGIN PRIVATE KEY-----\nsecret\n-----END PRIVATE KEY-----"
  }

  expect_failures = [output.public_key_pem]
}

run "a_private_key_without_its_version" {
  command = plan

  variables {
    public_key_pem = file("tests/keys/public.pem")
    private_key    = "-----BEGIN PRIVATE KEY-----\nsecret\n-----END PRIVATE KEY-----"
  }

  expect_failures = [output.public_key_pem]
}

run "a_private_key_that_is_none" {
  command = plan

  variables {
    public_key_pem      = file("tests/keys/public.pem")
    private_key         = file("tests/keys/public.pem")
    private_key_version = 1
  }

  expect_failures = [output.public_key_pem]
}

run "a_key_in_the_state_without_the_key" {
  command = plan

  variables {
    kind           = "state"
    public_key_pem = file("tests/keys/public.pem")
  }

  expect_failures = [output.public_key_pem, check.private_key_in_state]
}

run "keys_that_kms_makes_itself" {
  command = plan

  variables {
    kind                 = "kms"
    public_key_pem       = file("tests/keys/public.pem")
    private_key_in_state = "-----BEGIN PRIVATE KEY-----"
  }

  expect_failures = [output.public_key_pem]
}

run "arguments_of_another_kind" {
  command = plan

  variables {
    kind                  = "kms"
    private_key_version   = 1
    parameter_kms_key_arn = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"
  }

  expect_failures = [var.private_key_version, var.parameter_kms_key_arn]
}

run "keys_that_cloudfront_does_not_verify_and_names_that_amazon_keeps" {
  command = plan

  variables {
    name                     = "aws/key"
    kind                     = "kms"
    kms_key_spec             = "RSA_4096"
    kms_deletion_window_days = 3
    key_pair_id              = "E1ABCDEFGHIJKL"
    hash_algorithm           = "SHA512"
  }

  expect_failures = [var.name, var.kms_key_spec, var.kms_deletion_window_days, var.key_pair_id, var.hash_algorithm]
}

run "a_key_in_the_state_is_warned_of" {
  command = plan

  variables {
    kind                 = "state"
    public_key_pem       = file("tests/keys/public.pem")
    private_key_in_state = "-----BEGIN PRIVATE KEY-----\nno key\n-----END PRIVATE KEY-----\n"
    key_pair_id          = "K2JCJMDEHXQW5F"
  }

  expect_failures = [check.private_key_in_state] # a warning outside of tests

  assert {
    condition     = jsondecode(aws_ssm_parameter.in_state[0].value) == { key_pair_id = "K2JCJMDEHXQW5F", private_key = var.private_key_in_state, hash_algorithm = "SHA1" }
    error_message = "Id and key are one document."
  }
}
