variable "name" {
  description = "The beginning of every resource's name."
  type        = string
  default     = "keyfront-kms"
}

variable "key_spec" {
  description = "RSA_2048, or ECC_NIST_P256 for shorter links and faster signing."
  type        = string
  default     = "RSA_2048"
}
