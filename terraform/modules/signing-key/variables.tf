variable "name" {
  description = "The key's name, such as `shop/signing-key`. It makes the KMS alias `alias/NAME` or the SSM parameter `/NAME`."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*$", var.name)) && length(var.name) <= 200
    error_message = "name must have at most 200 letters, digits, - and _, in parts separated by /, without a slash at either end."
  }

  validation {
    condition     = !can(regex("^(aws|ssm)", lower(var.name)))
    error_message = "name must not begin with aws or ssm: Amazon reserves these."
  }
}

variable "kind" {
  description = "Where the private key is. `kms`: KMS makes it, and it never leaves KMS. `parameter`: in an SSM SecureString; the state never has the value. `state`: in an SSM SecureString, and in Terraform's state for everybody who can read the state."
  type        = string
  nullable    = false

  validation {
    condition     = contains(["kms", "parameter", "state"], var.kind)
    error_message = "kind must be kms, parameter or state."
  }
}

variable "kms_key_spec" {
  description = "With kind `kms`: `RSA_2048` or `ECC_NIST_P256`, the two that CloudFront can verify."
  type        = string
  default     = "RSA_2048"
  nullable    = false

  validation {
    condition     = contains(["RSA_2048", "ECC_NIST_P256"], var.kms_key_spec)
    error_message = "kms_key_spec must be RSA_2048 or ECC_NIST_P256: CloudFront verifies nothing else."
  }
}

variable "kms_deletion_window_days" {
  description = "With kind `kms`: for how many days (7 to 30) a destroyed key can be restored."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = var.kms_deletion_window_days >= 7 && var.kms_deletion_window_days <= 30 && floor(var.kms_deletion_window_days) == var.kms_deletion_window_days
    error_message = "kms_deletion_window_days must be a whole number from 7 to 30."
  }
}

variable "kms_policy_json" {
  description = "With kind `kms`: the key policy (JSON). Default: the KMS default, with which the account's IAM policies decide."
  type        = string
  default     = null

  validation {
    condition     = var.kms_policy_json == null || can(jsondecode(var.kms_policy_json))
    error_message = "kms_policy_json is not JSON."
  }

  validation {
    condition     = var.kms_policy_json == null || var.kind == "kms"
    error_message = "kms_policy_json is only for kind kms."
  }
}

# Keys have no validation here, because Terraform shows the values that it refuses. keys.tf checks them.
variable "public_key_pem" {
  description = "With kind `parameter` and `state`: the public half (PEM), passed on as an output. With kind `kms`, KMS provides it."
  type        = string
  default     = null
  sensitive   = true
}

variable "private_key" {
  description = "With kind `parameter`, optional: the private key (PEM), from an ephemeral variable (TF_VAR_… in the environment) or an ephemeral resource. Give it with every plan and apply; it is written when `private_key_version` changes. If not given, the parameter waits for its value from outside (`aws ssm put-parameter --overwrite --type SecureString`), and Terraform does not touch that value."
  type        = string
  default     = null
  ephemeral   = true
  sensitive   = true
}

variable "private_key_version" {
  description = "With `private_key`: a number from 1. Change it to write another key. 0 means that the value comes from outside. A change back to 0 overwrites the key with a placeholder."
  type        = number
  default     = 0
  nullable    = false

  validation {
    condition     = var.private_key_version >= 0 && floor(var.private_key_version) == var.private_key_version
    error_message = "private_key_version must be a whole number, 0 or more."
  }

  validation {
    condition     = var.private_key_version == 0 || var.kind == "parameter"
    error_message = "private_key_version is only for kind parameter."
  }
}

variable "private_key_in_state" {
  description = "With kind `state`: the private key (PEM). Terraform keeps it in its state and in plan files. Every plan and apply warns."
  type        = string
  default     = null
  sensitive   = true
}

variable "key_pair_id" {
  description = "The public key's id in CloudFront (`current_key_id` or one of `key_ids` of `trusted-key-group`). If given, the parameter holds one JSON document, `{key_pair_id, private_key, hash_algorithm}`, so that id and key only change together. If not given, it holds the PEM alone."
  type        = string
  default     = null

  validation {
    condition     = can(regex("^(K[A-Z0-9]{1,31}|APKA[A-Z0-9]{16})$", coalesce(var.key_pair_id, "K0")))
    error_message = "key_pair_id must be the public key's id in CloudFront, K…, not the id of a key group, a distribution or an IAM access key."
  }
}

variable "hash_algorithm" {
  description = "For the JSON document: the hash of the signatures, `SHA1` or `SHA256`."
  type        = string
  default     = "SHA1"
  nullable    = false

  validation {
    condition     = contains(["SHA1", "SHA256"], var.hash_algorithm)
    error_message = "hash_algorithm must be SHA1 or SHA256."
  }
}

variable "parameter_kms_key_arn" {
  description = "With kind `parameter` and `state`: the ARN of a customer managed KMS key that encrypts the parameter. Default: SSM's own key (`alias/aws/ssm`), which needs no further permission."
  type        = string
  default     = null

  validation {
    condition     = can(regex("^arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+$", coalesce(var.parameter_kms_key_arn, "arn:aws:kms:us-east-1:000000000000:key/none")))
    error_message = "parameter_kms_key_arn must be the ARN of a key, arn:aws:kms:REGION:ACCOUNT:key/ID. An alias does not work: IAM policies name the key."
  }

  validation {
    condition     = var.parameter_kms_key_arn == null || var.kind != "kms"
    error_message = "parameter_kms_key_arn is only for kind parameter and state: kind kms has no parameter."
  }
}

variable "tags" {
  description = "Tags for the key or the parameter."
  type        = map(string)
  default     = {}
  nullable    = false
}
