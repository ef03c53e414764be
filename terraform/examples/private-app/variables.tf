variable "name" {
  description = "The beginning of every resource's name."
  type        = string
  default     = "keyfront-private-app"
}

variable "access_code" {
  description = "Who sends this code to /session gets the cookies. The state has its SHA-256 only: use a long random code."
  type        = string
  sensitive   = true

  validation {
    condition     = length(var.access_code) >= 16
    error_message = "access_code must have at least 16 characters. Make one: openssl rand -hex 16"
  }
}

variable "allowed_origin" {
  description = "A site on another host that may ask for cookies and content, such as https://www.example.com."
  type        = string
  default     = "https://www.example.com"

  validation {
    condition     = can(regex("^https?://[A-Za-z0-9.-]+(:[0-9]+)?$", var.allowed_origin))
    error_message = "allowed_origin must be a scheme and a host, without a path: ${var.allowed_origin}"
  }
}
