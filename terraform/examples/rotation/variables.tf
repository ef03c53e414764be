variable "name" {
  description = "The beginning of every resource's name."
  type        = string
  default     = "keyfront-rotation"
}

variable "phase" {
  description = "The phase of the rotation. 1: key a alone. 2: a and b trusted, a signs. 3: a and b trusted, b signs. 4: key b alone."
  type        = number
  default     = 1

  validation {
    condition     = contains([1, 2, 3, 4], var.phase)
    error_message = "phase must be 1, 2, 3 or 4, one after the other."
  }
}

variable "keys" {
  description = "The folder with a/public_key.pem and b/public_key.pem."
  type        = string
  default     = null

  validation {
    condition     = alltrue([for key in ["a", "b"] : fileexists("${coalesce(var.keys, "${path.module}/keys")}/${key}/public_key.pem")])
    error_message = "No two key pairs in ${coalesce(var.keys, "${path.module}/keys")}. Make them: keyfront keys generate --out ${coalesce(var.keys, "${path.module}/keys")}/a, and the same for b."
  }
}
