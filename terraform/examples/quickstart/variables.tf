variable "name" {
  description = "What the names of everything begin with."
  type        = string
  default     = "keyfront-quickstart"
}

variable "keys" {
  description = "The folder with private_key.pem and public_key.pem."
  type        = string
  default     = null

  validation {
    condition     = fileexists("${coalesce(var.keys, "${path.module}/keys")}/private_key.pem") && fileexists("${coalesce(var.keys, "${path.module}/keys")}/public_key.pem")
    error_message = "There is no key pair in ${coalesce(var.keys, "${path.module}/keys")}. Make one: keyfront keys generate --out ${coalesce(var.keys, "${path.module}/keys")}"
  }
}

variable "package" {
  description = "The function's package, as keyfront lambda package writes it."
  type        = string
  default     = null

  validation {
    condition     = fileexists(coalesce(var.package, "${path.module}/function.zip"))
    error_message = "There is no package ${coalesce(var.package, "${path.module}/function.zip")}. Make it: keyfront lambda package --out ${coalesce(var.package, "${path.module}/function.zip")}"
  }
}

variable "jwt_authorizer" {
  description = "Whose tokens open the API: issuer and audiences. Without it the API signs for whoever asks, which is for a first look only."
  type = object({
    issuer    = string
    audiences = list(string)
  })
  default = null
}
