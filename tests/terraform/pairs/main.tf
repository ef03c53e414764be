# A key value store with two pairs.

variable "pairs" {
  description = "The pairs."
  type        = map(string)
}

resource "aws_cloudfront_key_value_store" "this" {
  name    = "redirects"
  comment = "Old paths and new ones"
}

resource "aws_cloudfrontkeyvaluestore_key" "this" {
  for_each = var.pairs

  key_value_store_arn = aws_cloudfront_key_value_store.this.arn
  key                 = each.key
  value               = each.value
}
