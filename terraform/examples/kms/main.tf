# KMS makes the private key, and it never leaves KMS: no file and no state has a secret.

module "signing_key" {
  source = "../../modules/signing-key"

  name                     = var.name
  kind                     = "kms"
  kms_key_spec             = var.key_spec
  kms_deletion_window_days = 7
}

module "trusted_key_group" {
  source = "../../modules/trusted-key-group"

  name     = var.name
  kms_keys = { current = module.signing_key.kms_key_arn }
}

module "content" {
  source = "../../modules/private-content"

  name                  = var.name
  default_key_group_ids = [module.trusted_key_group.key_group_id]
  force_destroy         = true # for an example: destroy the content too
}

resource "aws_s3_object" "secret" {
  bucket       = module.content.bucket
  key          = "secret.txt"
  content      = "Only with a signature by KMS.\n"
  content_type = "text/plain"
}
