# A real apply of keys in KMS.

run "two_keys_beside_each_other" {
  module {
    source = "./tests/rotation"
  }

  assert {
    condition     = output.keys["old"].signer == "kms:alias/rotation/old" && output.keys["new"].signer == "kms:alias/rotation/new"
    error_message = "Each has a signer of its own."
  }
  assert {
    condition     = output.keys["old"].parameter_arn == null && output.keys["old"].parameter_name == null
    error_message = "A key in KMS is in no parameter."
  }
  assert {
    condition     = trimspace(output.keys["new"].public_key_pem) == trimspace(output.public_keys["new"]) && trimspace(output.keys["old"].public_key_pem) == trimspace(output.public_keys["old"])
    error_message = "The key group trusts what KMS signs."
  }
  assert {
    condition = jsondecode(output.keys["old"].iam_policy_json).Statement == [
      {
        Sid      = "ReadPublicKey", Effect = "Allow", Action = "kms:GetPublicKey",
        Resource = output.keys["old"].kms_key_arn
      },
      {
        Sid       = "Sign", Effect = "Allow", Action = "kms:Sign",
        Resource  = output.keys["old"].kms_key_arn,
        Condition = { StringEquals = { "kms:SigningAlgorithm" = "RSASSA_PKCS1_V1_5_SHA_256" } }
      },
    ]
    error_message = "A signer may sign with this one key, and nothing else."
  }
}
