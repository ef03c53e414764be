# A public key without a line end. The service answers one with it, so the provider wants to replace the key.

variable "public_key" {
  description = "A public key, PEM."
  type        = string
}

resource "aws_cloudfront_public_key" "bare" {
  name        = "no-line-end"
  encoded_key = trimspace(var.public_key)
}

resource "aws_cloudfront_public_key" "whole" {
  name        = "line-end"
  encoded_key = "${trimspace(var.public_key)}\n"
}
