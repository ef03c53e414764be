# Two keys at the same time, as in a rotation, and the key group that trusts both.

module "key" {
  source   = "../.."
  for_each = { old = "RSA_2048", new = "ECC_NIST_P256" }

  name                     = "rotation/${each.key}"
  kind                     = "kms"
  kms_key_spec             = each.value
  kms_deletion_window_days = 7
}

module "group" {
  source = "../../../trusted-key-group"

  name     = "rotation"
  kms_keys = { for name, key in module.key : name => key.kms_key_arn }
  current  = "new"
}

output "keys" {
  value = module.key
}

output "public_keys" {
  value = module.group.public_keys
}
