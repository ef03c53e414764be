variable "name" {
  description = "What the names of everything begin with."
  type        = string
  default     = "keyfront-custom-origin"
}

variable "origin_domain_name" {
  description = "The HTTP server's host name. On the laptop: localhost. In an account: a name that CloudFront resolves."
  type        = string
  default     = "localhost"
}

variable "origin_http_port" {
  description = "The HTTP server's port. The default is the shop that keyfront up runs."
  type        = number
  default     = 8000
}

variable "origin_protocol_policy" {
  description = "How CloudFront speaks to the server: http-only on the laptop, https-only in an account."
  type        = string
  default     = "http-only"
}

variable "origin_secret" {
  description = "Sent to the server as X-Origin-Secret. A server that refuses requests without it cannot be asked around CloudFront."
  type        = string
  default     = "change-me"
  sensitive   = true
}

variable "keys" {
  description = "The folder with public_key.pem."
  type        = string
  default     = null

  validation {
    condition     = fileexists("${coalesce(var.keys, "${path.module}/keys")}/public_key.pem")
    error_message = "There is no key pair in ${coalesce(var.keys, "${path.module}/keys")}. Make one: keyfront keys generate --out ${coalesce(var.keys, "${path.module}/keys")}"
  }
}
