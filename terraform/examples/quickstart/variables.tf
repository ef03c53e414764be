variable "name" {
  description = "The beginning of every resource's name."
  type        = string
  default     = "keyfront-quickstart"
}

variable "keys" {
  description = "The folder with private_key.pem and public_key.pem."
  type        = string
  default     = null

  validation {
    condition     = fileexists("${coalesce(var.keys, "${path.module}/keys")}/private_key.pem") && fileexists("${coalesce(var.keys, "${path.module}/keys")}/public_key.pem")
    error_message = "No key pair in ${coalesce(var.keys, "${path.module}/keys")}. Make one: keyfront keys generate --out ${coalesce(var.keys, "${path.module}/keys")}"
  }
}

variable "package" {
  description = "The function's package, made by keyfront lambda package."
  type        = string
  default     = null

  validation {
    condition     = fileexists(coalesce(var.package, "${path.module}/function.zip"))
    error_message = "No package ${coalesce(var.package, "${path.module}/function.zip")}. Make it: keyfront lambda package --out ${coalesce(var.package, "${path.module}/function.zip")}"
  }
}

variable "jwt_authorizer" {
  description = "Whose tokens the API accepts: issuer and audiences. If not given, the API signs for everybody, which is only for a first try."
  type = object({
    issuer    = string
    audiences = list(string)
  })
  default = null
}
