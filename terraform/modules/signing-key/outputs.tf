output "signer" {
  description = "Where the private key is, as one address: `kms:alias/NAME` or `ssm:/NAME`."
  value       = local.signer
}

output "public_key_pem" {
  description = "The public half (PEM), for `keys` of the module `trusted-key-group`."
  value       = local.public_key_pem

  precondition {
    condition     = length(local.public_key_problems) == 0
    error_message = join(" ", concat(["The given keys do not match the kind."], local.public_key_problems))
  }
  precondition {
    condition     = !local.private_key_given || var.kind == "parameter"
    error_message = "private_key is only for kind parameter. Kind state takes private_key_in_state; kind kms takes no private key."
  }
  precondition {
    condition     = !local.private_key_given || local.private_key_is_private
    error_message = "private_key is not an unencrypted private key as PEM (-----BEGIN PRIVATE KEY-----, RSA PRIVATE KEY or EC PRIVATE KEY)."
  }
  precondition {
    condition     = !local.private_key_given || var.private_key_version > 0
    error_message = "private_key needs private_key_version, 1 or more: the key is written when this number changes."
  }
}

output "kms_key_arn" {
  description = "The ARN of the KMS key that signs. `null` if the private key is in a parameter."
  value       = one(aws_kms_key.this[*].arn)
}

output "parameter_arn" {
  description = "The ARN of the SSM parameter with the private key. `null` if the key is in KMS."
  value       = local.parameter_arn
}

output "parameter_name" {
  description = "The name of the SSM parameter with the private key. `null` if the key is in KMS."
  value       = local.kms ? null : "/${var.name}"
}

output "iam_policy_json" {
  description = "An IAM policy that allows exactly what a signer needs for this one key."
  value       = jsonencode({ Version = "2012-10-17", Statement = local.statements })
}
