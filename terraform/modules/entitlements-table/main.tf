# One table: an entry for each item (ITEM#id, ITEM), and one for each customer who may download it (CUSTOMER#id, ITEM#id).
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

  # The function checks expiry itself. This only deletes old entries.
  ttl {
    attribute_name = "expires_at"
    enabled        = true
  }

  # No other place has the record of what was sold.
  point_in_time_recovery {
    enabled = true
  }
}
