# A real apply of the table. Then its deletion protection is switched off.

variables {
  name = "deployed-entitlements"
  tags = { team = "shop" }
}

run "the_table_as_the_function_reads_it" {
  assert {
    condition     = aws_dynamodb_table.this.hash_key == "pk" && aws_dynamodb_table.this.range_key == "sk" && aws_dynamodb_table.this.billing_mode == "PAY_PER_REQUEST"
    error_message = "Entries are found by pk and sk, and nothing is paid for when nobody asks."
  }
  assert {
    condition     = one(aws_dynamodb_table.this.ttl).attribute_name == "expires_at" && one(aws_dynamodb_table.this.ttl).enabled
    error_message = "Entries that have expired are taken out."
  }
  assert {
    condition     = one(aws_dynamodb_table.this.point_in_time_recovery).enabled && aws_dynamodb_table.this.deletion_protection_enabled
    error_message = "What was sold is not lost."
  }
  assert {
    condition     = jsondecode(output.iam_policy_json).Statement == [{ Sid = "ReadEntitlements", Effect = "Allow", Action = "dynamodb:BatchGetItem", Resource = output.arn }]
    error_message = "The function may read entries of this table by their keys, and nothing else."
  }
  assert {
    condition     = output.name == "deployed-entitlements" && endswith(output.arn, ":table/deployed-entitlements")
    error_message = "The outputs name the table."
  }
}

run "a_table_that_may_be_destroyed" {
  variables {
    deletion_protection = false
  }

  assert {
    condition     = output.arn == run.the_table_as_the_function_reads_it.arn && !aws_dynamodb_table.this.deletion_protection_enabled
    error_message = "The same table lets itself be destroyed."
  }
}

run "a_name_that_is_none" {
  command = plan

  variables {
    name = "no spaces"
  }

  expect_failures = [var.name]
}
