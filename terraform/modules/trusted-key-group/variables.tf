variable "name" {
  description = "The key group's name: 1 to 40 letters, digits, `-` and `_`. It can change; set `key_name_prefix` to the old name then, or the keys are made anew."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,40}$", var.name))
    error_message = "name has 1 to 40 letters, digits, - and _."
  }
}

variable "comment" {
  description = "What the key group is for, at most 128 characters; shown in the console."
  type        = string
  default     = null

  validation {
    condition     = length(coalesce(var.comment, "-")) <= 128
    error_message = "comment has at most 128 characters."
  }
}

variable "keys" {
  description = "Public keys as PEM (`BEGIN PUBLIC KEY`, RSA 2048 or ECDSA P-256) by a name of yours, such as `{ \"2026-01\" = file(\"public_key.pem\") }`. Line ends and other white space do not matter. Together with `kms_keys` 1 to 5."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for name in keys(var.keys) : can(regex("^[A-Za-z0-9_-]{1,40}$", name))])
    error_message = "Names in keys have 1 to 40 letters, digits, - and _."
  }

  # The lengths and the beginnings of a SubjectPublicKeyInfo tell the algorithm and the size, whatever the key.
  validation {
    condition = alltrue([
      for pem in values(var.keys) : can(regex(
        "^-----BEGINPUBLICKEY-----(MIIB..ANBgkqhkiG9w0BAQEFAAOCAQ.AMIIB..KCAQEA[A-Za-z0-9+/]{340,356}={0,2}|MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE[A-Za-z0-9+/]{86}==)-----ENDPUBLICKEY-----$",
        replace(replace(coalesce(pem, "-"), "\\n", ""), "/\\s/", ""),
      )) || strcontains(upper(coalesce(pem, "-")), "PRIVATE KEY")
    ])
    error_message = "keys needs RSA 2048 or ECDSA P-256 public keys as PEM, nothing around -----BEGIN PUBLIC KEY----- … -----END PUBLIC KEY-----, and this is none (certificates, RSA PUBLIC KEY and other sizes are not taken): ${join(", ", [for name, pem in var.keys : name if !can(regex("^-----BEGINPUBLICKEY-----(MIIB..ANBgkqhkiG9w0BAQEFAAOCAQ.AMIIB..KCAQEA[A-Za-z0-9+/]{340,356}={0,2}|MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE[A-Za-z0-9+/]{86}==)-----ENDPUBLICKEY-----$", replace(replace(coalesce(pem, "-"), "\\n", ""), "/\\s/", "")))])}."
  }
}

variable "kms_keys" {
  description = "Keys that live in KMS, by a name of yours: id, ARN or `alias/…` of a key for signing (RSA_2048 or ECC_NIST_P256). Its public half is read from KMS. Give the ARN of a key that is made in the same apply: an alias is looked up when planning, and must be there by then."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for name in keys(var.kms_keys) : can(regex("^[A-Za-z0-9_-]{1,40}$", name))])
    error_message = "Names in kms_keys have 1 to 40 letters, digits, - and _."
  }

  validation {
    condition     = length(setintersection(keys(var.keys), keys(var.kms_keys))) == 0
    error_message = "keys and kms_keys share a name: ${join(", ", setintersection(keys(var.keys), keys(var.kms_keys)))}. Each name is one key."
  }

  validation {
    condition     = length(var.keys) + length(var.kms_keys) >= 1 && length(var.keys) + length(var.kms_keys) <= 5
    error_message = "A key group has 1 to 5 public keys; keys and kms_keys together have ${length(var.keys) + length(var.kms_keys)}."
  }
}

variable "current" {
  description = "The name of the key that signers use now. May be left out while there is one key; with several it says which, so that adding a key never switches the signers."
  type        = string
  default     = null

  validation {
    condition     = var.current != null || length(var.keys) + length(var.kms_keys) <= 1
    error_message = "There are several keys (${join(", ", concat(keys(var.keys), keys(var.kms_keys)))}): name in current the one that signers use."
  }

  validation {
    condition     = var.current == null || contains(concat(keys(var.keys), keys(var.kms_keys)), coalesce(var.current, "-"))
    error_message = "current is ${coalesce(var.current, "-")}, which is none of the keys ${join(", ", concat(keys(var.keys), keys(var.kms_keys)))}."
  }
}

variable "key_name_prefix" {
  description = "How the public keys' names begin in CloudFront, 1 to 40 letters, digits, `-` and `_`; the group's `name` when left out. A change makes every key anew, under new ids."
  type        = string
  default     = null

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,40}$", coalesce(var.key_name_prefix, "-")))
    error_message = "key_name_prefix has 1 to 40 letters, digits, - and _."
  }
}
