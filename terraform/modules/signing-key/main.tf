locals {
  kms    = var.kind == "kms"
  signer = local.kms ? "kms:${one(aws_kms_alias.this[*].name)}" : "ssm:/${var.name}"

  # Empty if a private key was pasted here, because plans show outputs.
  public_key_pem = local.kms ? one(data.aws_kms_public_key.this[*].public_key_pem) : (
    local.public_key_is_private ? "" : nonsensitive(var.public_key_pem)
  )
  parameter_arn = one(concat(aws_ssm_parameter.outside[*].arn, aws_ssm_parameter.in_state[*].arn))

  # Ephemeral like the key: gone when Terraform ends. Only a parameter that waits for its value gets the placeholder.
  to_write = var.private_key == null ? "not set yet" : (
    var.key_pair_id == null ? var.private_key : jsonencode(merge(local.document, { private_key = var.private_key }))
  )
  document = { key_pair_id = var.key_pair_id, hash_algorithm = var.hash_algorithm }
}

resource "aws_kms_key" "this" {
  count = local.kms ? 1 : 0

  description              = "Signs CloudFront URLs and cookies: ${var.name}"
  key_usage                = "SIGN_VERIFY"
  customer_master_key_spec = var.kms_key_spec
  deletion_window_in_days  = var.kms_deletion_window_days
  policy                   = var.kms_policy_json
  tags                     = var.tags
}

resource "aws_kms_alias" "this" {
  count = local.kms ? 1 : 0

  name          = "alias/${var.name}"
  target_key_id = aws_kms_key.this[0].key_id
}

data "aws_kms_public_key" "this" {
  count = local.kms ? 1 : 0

  key_id = aws_kms_key.this[0].arn
}

# The provider reads a parameter's value into the state, unless a write-only argument wrote it. So a write-only argument
# writes the placeholder for a value from outside, too. With `value` and ignore_changes, the next refresh would put the
# private key into the state.
resource "aws_ssm_parameter" "outside" {
  count = var.kind == "parameter" ? 1 : 0

  name             = "/${var.name}"
  description      = "Signs CloudFront URLs and cookies"
  type             = "SecureString"
  tier             = "Standard"
  key_id           = var.parameter_kms_key_arn
  value_wo         = local.to_write
  value_wo_version = var.private_key_version
  tags             = var.tags

  lifecycle {
    # Here and not in the variable, so that destroying does not need the key.
    precondition {
      condition     = var.private_key_version == 0 || var.private_key != null
      error_message = "private_key_version is ${var.private_key_version} and private_key is not given: the placeholder would overwrite the key. Give the key with every plan and apply. Or leave both out and write the value from outside."
    }
  }
}

resource "aws_ssm_parameter" "in_state" {
  count = var.kind == "state" ? 1 : 0

  name        = "/${var.name}"
  description = "Signs CloudFront URLs and cookies"
  type        = "SecureString"
  tier        = "Standard"
  key_id      = var.parameter_kms_key_arn
  value = var.key_pair_id == null ? coalesce(var.private_key_in_state, "missing") : jsonencode(
    merge(local.document, { private_key = var.private_key_in_state })
  )
  tags = var.tags
}

check "private_key_in_state" {
  assert {
    condition     = var.kind != "state"
    error_message = "The private key of ${var.name} is in Terraform's state and plan files. Anybody who can read them can sign with it. That is fine for a first try; kind parameter and kms keep the key out of the state."
  }
}
