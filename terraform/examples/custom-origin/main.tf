# Private content from an HTTP server: CloudFront checks the signature, and adds a header that proves it to the server.

module "trusted_key_group" {
  source = "../../modules/trusted-key-group"

  name = var.name
  keys = { current = file("${coalesce(var.keys, "${path.module}/keys")}/public_key.pem") }
}

module "content" {
  source = "../../modules/private-content"

  name                  = var.name
  create_bucket         = false
  default_key_group_ids = [module.trusted_key_group.key_group_id]
  default_behavior      = { cache_policy = "Managed-CachingDisabled" }

  custom_origins = {
    server = {
      domain_name     = var.origin_domain_name
      http_port       = var.origin_http_port
      protocol_policy = var.origin_protocol_policy
    }
  }
  custom_origin_headers = { server = { X-Origin-Secret = var.origin_secret } }
}
