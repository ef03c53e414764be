# Two parameters with values from outside. This wraps the module, because `terraform test` 1.11 cannot apply a root
# module with an ephemeral variable that is not set.

module "key" {
  source   = "../.."
  for_each = { plain = null, encrypted = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555" }

  name                  = "parameters/${each.key}"
  kind                  = "parameter"
  public_key_pem        = file("${path.module}/../keys/public.pem")
  parameter_kms_key_arn = each.value
}

output "keys" {
  value = module.key
}
