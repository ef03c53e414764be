variable "name" {
  description = "The key group's name: 1 to 40 letters, digits, `-` and `_`. To change it, set `key_name_prefix` to the old name, or every key is created again under a new id."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,40}$", var.name))
    error_message = "name must have 1 to 40 letters, digits, - and _."
  }
}

variable "comment" {
  description = "The key group's comment, at most 128 characters. The console shows it."
  type        = string
  default     = null

  validation {
    condition     = length(coalesce(var.comment, "-")) <= 128
    error_message = "comment must have at most 128 characters."
  }
}

variable "keys" {
  description = "Public keys as PEM (`BEGIN PUBLIC KEY`, RSA 2048 or ECDSA P-256). Choose a name for each, such as `{ \"2026-01\" = file(\"public_key.pem\") }`. Line endings and other white space do not matter. `keys` and `kms_keys` together have 1 to 5 keys."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for name in keys(var.keys) : can(regex("^[A-Za-z0-9_-]{1,40}$", name))])
    error_message = "Names in keys must have 1 to 40 letters, digits, - and _."
  }

  # The length and the first bytes of a SubjectPublicKeyInfo show the algorithm and the size of any key.
  validation {
    condition = alltrue([
      for pem in values(var.keys) : can(regex(
        "^-----BEGINPUBLICKEY-----(MIIB..ANBgkqhkiG9w0BAQEFAAOCAQ.AMIIB..KCAQEA[A-Za-z0-9+/]{340,356}={0,2}|MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE[A-Za-z0-9+/]{86}==)-----ENDPUBLICKEY-----$",
        replace(replace(coalesce(pem, "-"), "\\n", ""), "/\\s/", ""),
      )) || strcontains(upper(coalesce(pem, "-")), "PRIVATE KEY")
    ])
    error_message = "keys takes RSA 2048 and ECDSA P-256 public keys as PEM, with nothing around -----BEGIN PUBLIC KEY----- … -----END PUBLIC KEY----- (no certificates, no RSA PUBLIC KEY, no other sizes). Not such a key: ${join(", ", [for name, pem in var.keys : name if !can(regex("^-----BEGINPUBLICKEY-----(MIIB..ANBgkqhkiG9w0BAQEFAAOCAQ.AMIIB..KCAQEA[A-Za-z0-9+/]{340,356}={0,2}|MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE[A-Za-z0-9+/]{86}==)-----ENDPUBLICKEY-----$", replace(replace(coalesce(pem, "-"), "\\n", ""), "/\\s/", "")))])}."
  }
}

variable "kms_keys" {
  description = "Keys in KMS: choose a name for each, and give the id, the ARN or `alias/…` of a signing key (RSA_2048 or ECC_NIST_P256). The public half is read from KMS. For a key that is made in the same apply, give the ARN: an alias is looked up during the plan, and must exist by then."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for name in keys(var.kms_keys) : can(regex("^[A-Za-z0-9_-]{1,40}$", name))])
    error_message = "Names in kms_keys must have 1 to 40 letters, digits, - and _."
  }

  validation {
    condition     = length(setintersection(keys(var.keys), keys(var.kms_keys))) == 0
    error_message = "keys and kms_keys share a name: ${join(", ", setintersection(keys(var.keys), keys(var.kms_keys)))}. Each name must belong to one key."
  }

  validation {
    condition     = length(var.keys) + length(var.kms_keys) >= 1 && length(var.keys) + length(var.kms_keys) <= 5
    error_message = "A key group has 1 to 5 public keys; keys and kms_keys together have ${length(var.keys) + length(var.kms_keys)}."
  }
}

variable "current" {
  description = "The name of the key that signers use now. Optional with one key, required with several, so that adding a key never switches the signers."
  type        = string
  default     = null

  validation {
    condition     = var.current != null || length(var.keys) + length(var.kms_keys) <= 1
    error_message = "There are several keys (${join(", ", concat(keys(var.keys), keys(var.kms_keys)))}): set current to the name of the one that signers use."
  }

  validation {
    condition     = var.current == null || contains(concat(keys(var.keys), keys(var.kms_keys)), coalesce(var.current, "-"))
    error_message = "current is ${coalesce(var.current, "-")}, which is not one of the keys ${join(", ", concat(keys(var.keys), keys(var.kms_keys)))}."
  }
}

variable "key_name_prefix" {
  description = "The beginning of the public keys' names in CloudFront: 1 to 40 letters, digits, `-` and `_`. Default: `name`. A change creates every key again under a new id."
  type        = string
  default     = null

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,40}$", coalesce(var.key_name_prefix, "-")))
    error_message = "key_name_prefix must have 1 to 40 letters, digits, - and _."
  }
}
