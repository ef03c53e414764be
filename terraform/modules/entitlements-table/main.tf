# One table: an item's own entry (ITEM#id, ITEM), and one for each customer who may download it (CUSTOMER#id, ITEM#id).
resource "aws_dynamodb_table" "this" {
  name                        = var.name
  billing_mode                = "PAY_PER_REQUEST"
  hash_key                    = "pk"
  range_key                   = "sk"
  deletion_protection_enabled = var.deletion_protection
  tags                        = var.tags

  attribute {
    name = "pk"
    type = "S"
  }

  attribute {
    name = "sk"
    type = "S"
  }

  # The function judges by itself; this only takes old entries out.
  ttl {
    attribute_name = "expires_at"
    enabled        = true
  }

  # What was sold is nowhere else.
  point_in_time_recovery {
    enabled = true
  }
}
