variable "name" {
  description = "The beginning of every resource's name."
  type        = string
  default     = "keyfront-two-teams"
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
