# A KMS key and the key group that trusts it, made in one apply.

variable "purpose" {
  type = string
}

resource "aws_kms_key" "this" {
  customer_master_key_spec = "ECC_NIST_P256"
  key_usage                = "SIGN_VERIFY"
  deletion_window_in_days  = 7
  tags                     = { purpose = var.purpose }
}

module "group" {
  source = "../.."

  name     = "kms"
  kms_keys = { vault = aws_kms_key.this.arn }
}

output "key_ids" {
  value = module.group.key_ids
}

output "public_keys" {
  value = module.group.public_keys
}
