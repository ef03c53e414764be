variable "name" {
  description = "What the key is called, such as `shop/signing-key`: the KMS alias `alias/NAME`, or the SSM parameter `/NAME`."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*$", var.name)) && length(var.name) <= 200
    error_message = "name has at most 200 letters, digits, - and _, in parts divided by /; without a slash at either end."
  }

  validation {
    condition     = !can(regex("^(aws|ssm)", lower(var.name)))
    error_message = "name must not begin with aws or ssm: Amazon keeps these."
  }
}

variable "kind" {
  description = "Where the private key lives. `kms`: KMS makes it, and it never leaves. `parameter`: an SSM SecureString whose value comes from outside and is never in the state. `state`: an SSM SecureString whose value Terraform keeps in its state, where everybody who reads the state has it."
  type        = string

  validation {
    condition     = contains(["kms", "parameter", "state"], var.kind)
    error_message = "kind is kms, parameter or state."
  }
}

variable "kms_key_spec" {
  description = "With kind `kms`: `RSA_2048` or `ECC_NIST_P256`, the two that CloudFront verifies."
  type        = string
  default     = "RSA_2048"
  nullable    = false

  validation {
    condition     = contains(["RSA_2048", "ECC_NIST_P256"], var.kms_key_spec)
    error_message = "kms_key_spec is RSA_2048 or ECC_NIST_P256: CloudFront verifies nothing else."
  }
}

variable "kms_deletion_window_days" {
  description = "With kind `kms`: how many days (7 to 30) a destroyed key can still be brought back."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = var.kms_deletion_window_days >= 7 && var.kms_deletion_window_days <= 30 && floor(var.kms_deletion_window_days) == var.kms_deletion_window_days
    error_message = "kms_deletion_window_days is a whole number from 7 to 30."
  }
}

variable "kms_policy_json" {
  description = "With kind `kms`: the key's own policy (JSON). Left out, KMS's default, which leaves the decision to the account's IAM policies."
  type        = string
  default     = null

  validation {
    condition     = var.kms_policy_json == null || can(jsondecode(var.kms_policy_json))
    error_message = "kms_policy_json is no JSON."
  }

  validation {
    condition     = var.kms_policy_json == null || var.kind == "kms"
    error_message = "kms_policy_json is for kind kms."
  }
}

# Sensitive, because Terraform shows a refused value otherwise, and somebody may paste the private key here.
variable "public_key_pem" {
  description = "With kind `parameter` and `state`: the public half (PEM), passed on as output. KMS answers it for kind `kms`."
  type        = string
  default     = null
  sensitive   = true

  validation {
    condition     = (var.public_key_pem != null) == (var.kind != "kms")
    error_message = "public_key_pem is needed for kind parameter and state, and must be left out for kind kms, where KMS answers it."
  }

  validation {
    condition     = !strcontains(upper(coalesce(var.public_key_pem, "-")), "PRIVATE KEY")
    error_message = "public_key_pem holds a private key: give the public half, openssl pkey -in private_key.pem -pubout. The private one may be in a plan file now: make another pair."
  }

  validation {
    condition     = var.public_key_pem == null || can(regex("-----BEGIN PUBLIC KEY-----", coalesce(var.public_key_pem, "-")))
    error_message = "public_key_pem is no PEM with -----BEGIN PUBLIC KEY-----."
  }
}

variable "private_key" {
  description = "With kind `parameter`, optional: the private key (PEM), given in the environment as TF_VAR_… of an ephemeral variable, or by an ephemeral resource. It is written when `private_key_version` changes, and needed then only. Left out altogether, put the value in from outside: `aws ssm put-parameter --overwrite --type SecureString`."
  type        = string
  default     = null
  ephemeral   = true
  sensitive   = true

  validation {
    condition     = var.private_key == null || var.kind == "parameter"
    error_message = "private_key is for kind parameter; kind state takes private_key_in_state, and kind kms none at all."
  }

  validation {
    condition     = var.private_key == null || can(regex("-----BEGIN ((RSA|EC) )?PRIVATE KEY-----", coalesce(var.private_key, "-")))
    error_message = "private_key is no unencrypted private key as PEM (-----BEGIN PRIVATE KEY-----, RSA PRIVATE KEY or EC PRIVATE KEY)."
  }

  validation {
    condition     = var.private_key == null || var.private_key_version > 0
    error_message = "private_key needs private_key_version, 1 or more: the key is written when that number changes."
  }
}

variable "private_key_version" {
  description = "With `private_key`: a number to raise whenever another key is to be written. 0 while the value is put in from outside."
  type        = number
  default     = 0
  nullable    = false

  validation {
    condition     = var.private_key_version >= 0 && floor(var.private_key_version) == var.private_key_version
    error_message = "private_key_version is a whole number, 0 or more."
  }

  validation {
    condition     = var.private_key_version == 0 || var.kind == "parameter"
    error_message = "private_key_version is for kind parameter."
  }
}

variable "private_key_in_state" {
  description = "With kind `state`: the private key (PEM). Terraform keeps it in its state and in plan files; a warning says so each time."
  type        = string
  default     = null
  sensitive   = true

  validation {
    condition     = (var.private_key_in_state != null) == (var.kind == "state")
    error_message = "private_key_in_state is needed for kind state, and must be left out for kind kms and parameter."
  }

  validation {
    condition     = var.private_key_in_state == null || can(regex("-----BEGIN ((RSA|EC) )?PRIVATE KEY-----", coalesce(var.private_key_in_state, "-")))
    error_message = "private_key_in_state is no unencrypted private key as PEM (-----BEGIN PRIVATE KEY-----, RSA PRIVATE KEY or EC PRIVATE KEY)."
  }
}

variable "key_pair_id" {
  description = "The public key's id in CloudFront (`current_key_id` or one of `key_ids` of `trusted-key-group`). With it the parameter holds one JSON document, `{key_pair_id, private_key, hash_algorithm}`, so that id and key can only change together; without it the PEM alone."
  type        = string
  default     = null

  validation {
    condition     = can(regex("^[A-Za-z0-9]{1,64}$", coalesce(var.key_pair_id, "K")))
    error_message = "key_pair_id is the public key's id in CloudFront, K…"
  }
}

variable "hash_algorithm" {
  description = "In the JSON document: `SHA1` or `SHA256`, what signatures are made with."
  type        = string
  default     = "SHA1"
  nullable    = false

  validation {
    condition     = contains(["SHA1", "SHA256"], var.hash_algorithm)
    error_message = "hash_algorithm is SHA1 or SHA256."
  }
}

variable "parameter_kms_key_arn" {
  description = "With kind `parameter` and `state`: the ARN of a customer managed KMS key that encrypts the parameter. Left out, SSM's own key (`alias/aws/ssm`), which needs no permission of its own."
  type        = string
  default     = null

  validation {
    condition     = can(regex("^arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+$", coalesce(var.parameter_kms_key_arn, "arn:aws:kms:us-east-1:000000000000:key/none")))
    error_message = "parameter_kms_key_arn is the ARN of a key, arn:aws:kms:REGION:ACCOUNT:key/ID (not of an alias: IAM decides by the key)."
  }

  validation {
    condition     = var.parameter_kms_key_arn == null || var.kind != "kms"
    error_message = "parameter_kms_key_arn is for kind parameter and state: with kind kms there is no parameter."
  }
}

variable "tags" {
  description = "Tags for the key or the parameter."
  type        = map(string)
  default     = {}
  nullable    = false
}
