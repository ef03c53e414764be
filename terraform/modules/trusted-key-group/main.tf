locals {
  names   = setunion(keys(var.keys), keys(var.kms_keys))
  current = var.current != null ? var.current : one(local.names)

  # Terraform shows what a variable's validation refuses, and plans show outputs: a private key goes neither way.
  private = [for name, pem in var.keys : name if strcontains(upper(coalesce(pem, "-")), "PRIVATE KEY")]
  public  = { for name, pem in var.keys : name => contains(local.private, name) ? "" : pem }

  given = merge(local.public, { for name, key in data.aws_kms_public_key.this : name => key.public_key_pem })

  # One key has many texts: line ends, widths, white space, line breaks turned into \n on their way through an
  # environment variable. Every text of a key becomes the one that OpenSSL writes, or a line end would make a new key.
  bodies = {
    for name, pem in local.given : name => replace(replace(pem, "\\n", ""), "/-----(BEGIN|END) PUBLIC KEY-----|\\s/", "")
  }
  pems = {
    for name, body in local.bodies : name => join("\n", concat(
      ["-----BEGIN PUBLIC KEY-----"], regexall(".{1,64}", body), ["-----END PUBLIC KEY-----", ""],
    ))
  }
}

# Without preconditions: a data source that has one is read after every change of what it depends on, and the
# unknown PEM would make the key anew.
data "aws_kms_public_key" "this" {
  for_each = var.kms_keys

  key_id = each.value
}

resource "aws_cloudfront_public_key" "this" {
  for_each = local.names

  # The bytes are part of the name, so other bytes are another key. A prefix, because CloudFront takes a name once:
  # the provider adds a suffix that is new each time, and a key never stands in the way of its successor.
  name_prefix = "${coalesce(var.key_name_prefix, var.name)}-${each.key}-${substr(sha256(local.pems[each.key]), 0, 12)}-"
  comment     = each.key
  encoded_key = local.pems[each.key]

  lifecycle {
    # New key, then the group with the new key, then the old key goes: CloudFront deletes no key that a group has.
    create_before_destroy = true
    # CloudFront may answer with line ends of its own. The name says already when the bytes are others.
    ignore_changes = [encoded_key]

    precondition {
      condition     = !contains(local.private, each.key)
      error_message = "keys holds a private key (${each.key}): give the public half, openssl pkey -in private_key.pem -pubout. The private one may be in a plan file now: make another pair."
    }
  }
}

resource "aws_cloudfront_key_group" "this" {
  name    = var.name
  comment = var.comment
  items   = [for key in aws_cloudfront_public_key.this : key.id]
}

# A warning and no error: for a while both names are wanted when signers move from one to the other.
check "each_key_once" {
  assert {
    condition     = length(distinct(values(local.pems))) == length(local.pems)
    error_message = "Two of the keys ${join(", ", local.names)} are the same. In a rotation that means that the old key goes on signing under another id."
  }
}
