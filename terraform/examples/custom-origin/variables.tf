variable "name" {
  description = "The beginning of every resource's name."
  type        = string
  default     = "keyfront-custom-origin"
}

variable "origin_domain_name" {
  description = "The HTTP server's host name. On the laptop: localhost. On AWS: a name that CloudFront can resolve."
  type        = string
  default     = "localhost"
}

variable "origin_http_port" {
  description = "The HTTP server's port. The default is the shop that keyfront up runs."
  type        = number
  default     = 8000
}

variable "origin_protocol_policy" {
  description = "How CloudFront connects to the server: http-only on the laptop, https-only on AWS."
  type        = string
  default     = "http-only"
}

variable "origin_secret" {
  description = "The value of X-Origin-Secret in requests to the server. The server must refuse requests without it, so that nobody can bypass CloudFront."
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
    error_message = "No key pair in ${coalesce(var.keys, "${path.module}/keys")}. Make one: keyfront keys generate --out ${coalesce(var.keys, "${path.module}/keys")}"
  }
}
