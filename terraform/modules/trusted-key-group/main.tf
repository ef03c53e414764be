locals {
  names   = setunion(keys(var.keys), keys(var.kms_keys))
  current = var.current != null ? var.current : one(local.names)

  # Terraform shows the values that a variable's validation refuses, and plans show outputs. A private key must appear in neither.
  private = [for name, pem in var.keys : name if strcontains(upper(coalesce(pem, "-")), "PRIVATE KEY")]
  public  = { for name, pem in var.keys : name => contains(local.private, name) ? "" : pem }

  given = merge(local.public, { for name, key in data.aws_kms_public_key.this : name => key.public_key_pem })

  # The same key can be written in many ways: line endings, line lengths, white space, line breaks that an environment
  # variable turned into \n. All are normalised to the text that OpenSSL writes. Otherwise a line ending would make a new key.
  bodies = {
    for name, pem in local.given : name => replace(replace(pem, "\\n", ""), "/-----(BEGIN|END) PUBLIC KEY-----|\\s/", "")
  }
  pems = {
    for name, body in local.bodies : name => join("\n", concat(
      ["-----BEGIN PUBLIC KEY-----"], regexall(".{1,64}", body), ["-----END PUBLIC KEY-----", ""],
    ))
  }
}

# No preconditions: a data source with one is read again after every change of its dependencies, and the PEM that is
# unknown until then would create the key again.
data "aws_kms_public_key" "this" {
  for_each = var.kms_keys

  key_id = each.value
}

resource "aws_cloudfront_public_key" "this" {
  for_each = local.names

  # The hash of the bytes is part of the name, so other bytes make another key. A prefix, because names are unique in
  # CloudFront: the provider adds a new suffix each time, so a key never blocks its successor.
  name_prefix = "${coalesce(var.key_name_prefix, var.name)}-${each.key}-${substr(sha256(local.pems[each.key]), 0, 12)}-"
  comment     = each.key
  encoded_key = local.pems[each.key]

  lifecycle {
    # First the new key, then the group with it, then the old key is deleted: CloudFront does not delete a key in a group.
    create_before_destroy = true
    # CloudFront may return other line endings. The name already changes when the bytes change.
    ignore_changes = [encoded_key]

    precondition {
      condition     = !contains(local.private, each.key)
      error_message = "keys holds a private key (${each.key}): give the public half, which openssl pkey -in private_key.pem -pubout prints. A plan file may have the private key now: make another key pair."
    }
  }
}

resource "aws_cloudfront_key_group" "this" {
  name    = var.name
  comment = var.comment
  items   = [for key in aws_cloudfront_public_key.this : key.id]
}

# A warning, not an error: both names are needed for a while when signers move from one to the other.
check "each_key_once" {
  assert {
    condition     = length(distinct(values(local.pems))) == length(local.pems)
    error_message = "Two of the keys ${join(", ", local.names)} are the same key. In a rotation that means that the old key still signs, under another id."
  }
}
