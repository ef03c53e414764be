output "signer" {
  description = "Where the private key is, in one string: `kms:alias/NAME` or `ssm:/NAME`."
  value       = local.signer
}

output "public_key_pem" {
  description = "The public half (PEM), for `keys` of the module `trusted-key-group`."
  value       = local.public_key_pem
}

output "kms_key_arn" {
  description = "The ARN of the KMS key that signs; `null` when the private key is in a parameter."
  value       = one(aws_kms_key.this[*].arn)
}

output "parameter_arn" {
  description = "The ARN of the SSM parameter with the private key; `null` when it is in KMS."
  value       = local.parameter_arn
}

output "parameter_name" {
  description = "The name of the SSM parameter with the private key; `null` when it is in KMS."
  value       = local.kms ? null : "/${var.name}"
}

output "iam_policy_json" {
  description = "An IAM policy with exactly what a signer needs to use this one key."
  value       = jsonencode({ Version = "2012-10-17", Statement = local.statements })
}
