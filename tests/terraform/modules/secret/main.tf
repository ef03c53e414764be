# A signing key whose private half comes in by the environment, once.

variable "private_key" {
  type      = string
  default   = null
  ephemeral = true
}

variable "private_key_version" {
  type = number
}

variable "public_key" {
  type = string
}

variable "team" {
  type = string
}

module "key" {
  source = "../signing-key"

  name                = "secret/signing-key"
  kind                = "parameter"
  public_key_pem      = var.public_key
  private_key         = var.private_key
  private_key_version = var.private_key_version
  key_pair_id         = "K2JCJMDEHXQW5F"
  tags                = { team = var.team }
}
