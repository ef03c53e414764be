# From a key pair to a download: a private file, a distribution that requires a signature, and an API that signs.

locals {
  keys       = coalesce(var.keys, "${path.module}/keys")
  public_key = file("${local.keys}/public_key.pem")
  package    = coalesce(var.package, "${path.module}/function.zip")
}

module "trusted_key_group" {
  source = "../../modules/trusted-key-group"

  name = var.name
  keys = { current = local.public_key }
}

# The state never has the key. A new key pair changes the version, which writes the key again.
module "signing_key" {
  source = "../../modules/signing-key"

  name                = "${var.name}/signing-key"
  kind                = "parameter"
  public_key_pem      = local.public_key
  private_key         = file("${local.keys}/private_key.pem")
  private_key_version = parseint(substr(sha256(local.public_key), 0, 7), 16) + 1
  key_pair_id         = module.trusted_key_group.current_key_id
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
  content      = "Only with a signature.\n"
  content_type = "text/plain"
}

module "download_endpoint" {
  source = "../../modules/download-endpoint"

  name                = var.name
  package             = { zip = local.package }
  cloudfront_domain   = module.content.domain_name
  key_pair_id         = module.trusted_key_group.current_key_id
  signer              = module.signing_key.signer
  signing_policy_json = module.signing_key.iam_policy_json
  jwt_authorizer      = var.jwt_authorizer

  # For a first try, everybody may have every file. In production, use a table, a database or your own code.
  environment = { KEYFRONT_ENTITLEMENTS = "keyfront.backend:anybody" }
}
