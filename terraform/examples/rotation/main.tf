# One key replaces another, and no good link is refused.

locals {
  folder  = coalesce(var.keys, "${path.module}/keys")
  trusted = { 1 = ["a"], 2 = ["a", "b"], 3 = ["a", "b"], 4 = ["b"] }[var.phase]
  signing = { 1 = "a", 2 = "a", 3 = "b", 4 = "b" }[var.phase]
}

module "trusted_key_group" {
  source = "../../modules/trusted-key-group"

  name    = var.name
  keys    = { for key in local.trusted : key => file("${local.folder}/${key}/public_key.pem") }
  current = local.signing
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
  content      = "Only with a signature, whichever key is the current one.\n"
  content_type = "text/plain"
}
