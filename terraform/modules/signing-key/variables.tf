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

# Keys have no validation here: Terraform would show the value that it refuses. keys.tf checks them.
variable "public_key_pem" {
  description = "With kind `parameter` and `state`: the public half (PEM), passed on as output. KMS answers it for kind `kms`."
  type        = string
  default     = null
  sensitive   = true
}

variable "private_key" {
  description = "With kind `parameter`, optional: the private key (PEM), given in the environment as TF_VAR_… of an ephemeral variable, or by an ephemeral resource. It is written when `private_key_version` changes, and given with every plan and apply. Left out, the parameter waits for its value from outside: `aws ssm put-parameter --overwrite --type SecureString`, which Terraform leaves alone."
  type        = string
  default     = null
  ephemeral   = true
  sensitive   = true
}

variable "private_key_version" {
  description = "With `private_key`: a number from 1, to change whenever another key is to be written. 0 while the value is put in from outside; a change back to 0 writes a stand-in in the key's place."
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
