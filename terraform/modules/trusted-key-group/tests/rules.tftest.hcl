# Configurations that the plan refuses, before any request to Amazon.

mock_provider "aws" {}

variables {
  name = "rules"
}

run "no_key_at_all" {
  command = plan

  expect_failures = [var.kms_keys]
}

run "six_keys" {
  command = plan

  variables {
    keys     = { for name in ["a", "b", "c", "d", "e"] : name => file("tests/keys/ecdsa.pem") }
    kms_keys = { f = "alias/f" }
    current  = "a"
  }

  expect_failures = [var.kms_keys]
}

run "one_name_for_two_keys" {
  command = plan

  variables {
    keys     = { a = file("tests/keys/rsa-a.pem") }
    kms_keys = { a = "alias/a" }
    current  = "a"
  }

  expect_failures = [var.kms_keys]
}

run "several_keys_and_none_is_said_to_be_current" {
  command = plan

  variables {
    keys = { a = file("tests/keys/rsa-a.pem"), b = file("tests/keys/rsa-b.pem") }
  }

  expect_failures = [var.current]
}

run "the_current_key_is_none_of_them" {
  command = plan

  variables {
    keys    = { a = file("tests/keys/rsa-a.pem") }
    current = "b"
  }

  expect_failures = [var.current]
}

run "an_rsa_key_of_4096_bits" {
  command = plan

  variables {
    keys = { a = file("tests/keys/rsa-4096.pem") }
  }

  expect_failures = [var.keys]
}

run "no_pem" {
  command = plan

  variables {
    keys = { a = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQ" }
  }

  expect_failures = [var.keys]
}

run "a_private_key" {
  command = plan

  variables {
    keys = { a = "-----BEGIN RSA PRIVATE KEY-----\nsecret\n-----END RSA PRIVATE KEY-----" }
  }

  expect_failures = [aws_cloudfront_public_key.this]
}

run "names_that_cloudfront_does_not_take" {
  command = plan

  variables {
    name            = "shop.example"
    key_name_prefix = "a name"
    keys            = { "2026/01" = file("tests/keys/rsa-a.pem") }
  }

  expect_failures = [var.name, var.key_name_prefix, var.keys]
}
