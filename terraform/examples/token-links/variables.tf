variable "name" {
  description = "The beginning of every resource's name."
  type        = string
  default     = "keyfront-token-links"
}

variable "keys" {
  description = "The folder with public_key.pem."
  type        = string
  default     = null

  validation {
    condition     = fileexists("${coalesce(var.keys, "${path.module}/keys")}/public_key.pem")
    error_message = "No key pair in ${coalesce(var.keys, "${path.module}/keys")}. Make one: keyfront keys generate --out ${coalesce(var.keys, "${path.module}/keys")}"
  }
}
