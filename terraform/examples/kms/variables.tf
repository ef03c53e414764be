variable "name" {
  description = "What the names of everything begin with."
  type        = string
  default     = "keyfront-kms"
}

variable "key_spec" {
  description = "RSA_2048, or ECC_NIST_P256: shorter links, and cheaper to sign."
  type        = string
  default     = "RSA_2048"
}
