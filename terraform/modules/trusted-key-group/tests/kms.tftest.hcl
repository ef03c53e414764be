# Keys in KMS: Terraform reads the public half during the plan, or only during the apply.

run "the_kms_key_is_made_in_the_same_apply" {
  module {
    source = "./tests/kms"
  }

  variables {
    purpose = "first"
  }

  assert {
    condition     = can(regex("^-----BEGIN PUBLIC KEY-----\nMFkw", output.public_keys["vault"])) && startswith(output.key_ids["vault"], "K")
    error_message = "The key group trusts KMS's key."
  }
}

run "the_kms_key_changes_in_another_way" {
  module {
    source = "./tests/kms"
  }

  variables {
    purpose = "second"
  }

  assert {
    condition     = output.key_ids == run.the_kms_key_is_made_in_the_same_apply.key_ids
    error_message = "A tag of the KMS key makes no new public key."
  }
}
