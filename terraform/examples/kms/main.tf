# The private key is made in KMS and never leaves it: no file, no secret in the state, nothing to steal.

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
  force_destroy         = true # an example: its content goes with it
}

resource "aws_s3_object" "secret" {
  bucket       = module.content.bucket
  key          = "secret.txt"
  content      = "Only with a signature by KMS.\n"
  content_type = "text/plain"
}
