# A real apply: the table and the queries for partitioned Parquet logs. Then a plan for legacy logs.

variables {
  name             = "deployed-logs"
  bucket           = "my-access-logs"
  prefix           = "AWSLogs/123456789012/CloudFront/"
  format           = "parquet"
  distribution_ids = ["E1AAAAAAAAAAAA", "E2BBBBBBBBBBBB"]
  first_day        = "2030-01-31"
  tags             = { team = "shop" }
}

# moto, which is Athena on the laptop, can make saved queries but not delete them.
override_resource {
  target = aws_athena_named_query.this
}

run "partitioned_parquet" {
  assert {
    condition     = aws_glue_catalog_table.files.parameters["storage.location.template"] == "s3://my-access-logs/AWSLogs/123456789012/CloudFront/$${distributionid}/$${day}/"
    error_message = "Partitions are found by their names."
  }
  assert {
    condition     = aws_glue_catalog_table.files.parameters["projection.day.range"] == "2030/01/31,NOW"
    error_message = "Days are projected from the first one on."
  }
  assert {
    condition     = one(aws_athena_workgroup.this.configuration).bytes_scanned_cutoff_per_query == 10737418240 && one(aws_athena_workgroup.this.configuration).enforce_workgroup_configuration
    error_message = "No query reads more than the limit."
  }
  assert {
    condition     = strcontains(aws_athena_named_query.this["keys"].query, "FROM \"deployed_logs\".\"files\"") && strcontains(aws_athena_named_query.this["keys"].query, "WHERE day >= date_format(current_date - INTERVAL '7' DAY, '%Y/%m/%d')")
    error_message = "The saved queries read the table, and only the last days of it."
  }
  assert {
    condition     = !contains(one(aws_glue_catalog_table.files.storage_descriptor).columns[*].name, "distributionid") && contains(one(aws_glue_catalog_table.files.storage_descriptor).columns[*].name, "timestamp_ms")
    error_message = "A partition is not a column too, and what the queries name is there."
  }
}

run "legacy_logs" {
  command = plan

  variables {
    format           = "w3c"
    prefix           = ""
    partitioned      = false
    distribution_ids = null
  }

  assert {
    condition     = aws_glue_catalog_table.files.parameters["skip.header.line.count"] == "2" && !contains(keys(aws_glue_catalog_table.files.parameters), "projection.enabled")
    error_message = "Legacy logs have two lines of header, and no partitions."
  }
  assert {
    condition     = join(" ", slice(one(aws_glue_catalog_table.files.storage_descriptor).columns[*].name, 0, 7)) == "date time x_edge_location sc_bytes c_ip cs_method cs_host"
    error_message = "The columns are in the order of the fields."
  }
}

run "hive_compatible_folders" {
  command = plan

  variables {
    hive = true
  }

  assert {
    condition     = aws_glue_catalog_table.files.parameters["storage.location.template"] == "s3://my-access-logs/AWSLogs/123456789012/CloudFront/DistributionId=$${distributionid}/year=$${year}/month=$${month}/day=$${day}/"
    error_message = "Folders have the names of their partitions."
  }
  assert {
    condition     = aws_glue_catalog_table.files.parameters["projection.year.range"] == "2030,NOW" && aws_glue_catalog_table.files.parameters["projection.month.digits"] == "2"
    error_message = "Years begin with the first day's, and months have two digits."
  }
  assert {
    condition     = strcontains(aws_athena_named_query.this["keys"].query, "WHERE concat(year, '/', month, '/', day) >= date_format(")
    error_message = "The saved queries read only the last days."
  }
}

run "hive_compatible_folders_of_the_other_variable" {
  command = plan

  variables {
    hive                  = true
    distribution_variable = "distributionid"
  }

  assert {
    condition     = strcontains(aws_glue_catalog_table.files.parameters["storage.location.template"], "/CloudFront/distributionid=$${distributionid}/year=")
    error_message = "The folder has the name of the variable in the suffix path."
  }
}

run "hive_without_partitions" {
  command = plan

  variables {
    hive        = true
    partitioned = false
  }

  expect_failures = [var.hive]
}

run "json_logs" {
  command = plan

  variables {
    format = "json"
  }

  assert {
    condition     = one(one(aws_glue_catalog_table.files.storage_descriptor).ser_de_info).parameters["mapping.cs_user_agent"] == "cs(User-Agent)"
    error_message = "Columns know their fields."
  }
}

run "fields_without_a_query_string" {
  command = plan

  variables {
    fields = ["date", "time", "sc-status"]
  }

  expect_failures = [var.fields]
}
