# Checks of the given keys that never show a key: a precondition shows locals, and these hold no key.
locals {
  pem = "-----BEGIN ((RSA|EC) )?PRIVATE KEY-----"

  public_key_given        = nonsensitive(var.public_key_pem != null)
  public_key_is_private   = nonsensitive(strcontains(upper(coalesce(var.public_key_pem, "-")), "PRIVATE KEY"))
  public_key_is_public    = nonsensitive(can(regex("-----BEGIN PUBLIC KEY-----", coalesce(var.public_key_pem, "-"))))
  private_key_given       = var.private_key != null
  private_key_is_private  = can(regex(local.pem, coalesce(var.private_key, "-")))
  key_in_state_given      = nonsensitive(var.private_key_in_state != null)
  key_in_state_is_private = nonsensitive(can(regex(local.pem, coalesce(var.private_key_in_state, "-"))))

  public_key_problems = compact([
    local.public_key_given == local.kms ? "public_key_pem is needed for kind parameter and state. Leave it out for kind kms, where KMS provides it." : "",
    local.public_key_is_private ? "public_key_pem holds a private key: give the public half, which openssl pkey -in private_key.pem -pubout prints. A plan file may have the private key now: make another key pair." : "",
    local.public_key_given && !local.public_key_is_public && !local.public_key_is_private ? "public_key_pem is not a PEM with -----BEGIN PUBLIC KEY-----." : "",
    local.key_in_state_given != (var.kind == "state") ? "private_key_in_state is needed for kind state. Leave it out for kind kms and parameter." : "",
    local.key_in_state_given && !local.key_in_state_is_private ? "private_key_in_state is not an unencrypted private key as PEM (-----BEGIN PRIVATE KEY-----, RSA PRIVATE KEY or EC PRIVATE KEY)." : "",
  ])
}
