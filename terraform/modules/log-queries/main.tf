# The log files in the bucket as a table. Projection computes the partitions from their names, so that no crawler is needed.

locals {
  prefix   = trim(var.prefix, "/")
  location = "s3://${var.bucket}/${local.prefix == "" ? "" : "${local.prefix}/"}"
  database = replace(var.name, "-", "_")
  table    = "files"

  # How each format is read. The rows of a legacy or W3C file are columns by their position, and so need all their names.
  formats = {
    parquet = {
      input   = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat"
      output  = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat"
      library = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"
      serde   = {}
      table   = {}
    }
    json = {
      input   = "org.apache.hadoop.mapred.TextInputFormat"
      output  = "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat"
      library = "org.openx.data.jsonserde.JsonSerDe"
      serde   = merge({ "ignore.malformed.json" = "true" }, { for column, field in local.fields : "mapping.${column}" => field })
      table   = {}
    }
    w3c = {
      input   = "org.apache.hadoop.mapred.TextInputFormat"
      output  = "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat"
      library = "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe"
      serde   = { "field.delim" = "\t", "serialization.format" = "\t" }
      table   = { "skip.header.line.count" = "2" }
    }
  }
  format = local.formats[var.format]

  # A column's name by the field's: cs(User-Agent) is cs_user_agent.
  fields = { for field in concat(var.fields, var.format == "w3c" ? [] : local.optional) : trim(replace(lower(field), "/[^a-z0-9]+/", "_"), "_") => field }

  # Fields that a log may lack. The queries name them, so the table has them: they are empty.
  optional = ["timestamp", "timestamp(ms)", "DistributionId", "c-country", "cache-behavior-path-pattern"]
  needed   = ["timestamp", "timestamp_ms", "distributionid", "c_country", "cache_behavior_path_pattern"]

  ordered = [for field in var.fields : trim(replace(lower(field), "/[^a-z0-9]+/", "_"), "_")]
  columns = concat(local.ordered, [for name in local.needed : name if !contains(concat(local.ordered, local.partitions), name)])

  by_distribution = var.distribution_ids != null
  partitions      = concat(local.by_distribution ? ["distributionid"] : [], var.partitioned ? local.days : [])

  # The partitions of days, each with the name of its folder. Hive-compatible folders have one for each part of a date.
  days    = var.hive ? ["year", "month", "day"] : ["day"]
  folders = { for name in local.partitions : name => "${var.hive ? "${name == "distributionid" ? var.distribution_variable : name}=" : ""}$${${name}}" }

  projected_days = var.hive ? {
    "projection.year.type"          = "date"
    "projection.year.format"        = "yyyy"
    "projection.year.range"         = "${substr(var.first_day, 0, 4)},NOW"
    "projection.year.interval"      = "1"
    "projection.year.interval.unit" = "YEARS"
    "projection.month.type"         = "integer"
    "projection.month.range"        = "1,12"
    "projection.month.digits"       = "2"
    "projection.day.type"           = "integer"
    "projection.day.range"          = "1,31"
    "projection.day.digits"         = "2"
    } : {
    "projection.day.type"          = "date"
    "projection.day.format"        = "yyyy/MM/dd"
    "projection.day.range"         = "${replace(var.first_day, "-", "/")},NOW"
    "projection.day.interval"      = "1"
    "projection.day.interval.unit" = "DAYS"
  }

  projection = merge(
    length(local.partitions) == 0 ? {} : { "projection.enabled" = "true" },
    local.by_distribution ? {
      "projection.distributionid.type"   = "enum"
      "projection.distributionid.values" = join(",", coalesce(var.distribution_ids, []))
    } : {},
    { for name, value in local.projected_days : name => value if var.partitioned },
    length(local.partitions) == 0 ? {} : {
      "storage.location.template" = "${local.location}${join("/", [for name in local.partitions : local.folders[name]])}/"
    },
  )

  # Which files a query reads, and so what it costs. Without partitions it reads everything.
  date  = var.hive ? "concat(year, '/', month, '/', day)" : "day"
  where = var.partitioned ? "${local.date} >= date_format(current_date - INTERVAL '${var.days}' DAY, '%Y/%m/%d')" : "true"
}

resource "aws_glue_catalog_database" "this" {
  name        = local.database
  description = "CloudFront access logs in ${var.bucket}"
}

resource "aws_glue_catalog_table" "files" {
  name          = local.table
  database_name = aws_glue_catalog_database.this.name
  table_type    = "EXTERNAL_TABLE"
  description   = "Access logs of CloudFront. All columns are texts, percent-encoded once."
  parameters    = merge({ EXTERNAL = "TRUE" }, local.format.table, local.projection)

  dynamic "partition_keys" {
    for_each = local.partitions
    content {
      name = partition_keys.value
      type = "string"
    }
  }

  storage_descriptor {
    location      = local.location
    input_format  = local.format.input
    output_format = local.format.output

    ser_de_info {
      serialization_library = local.format.library
      parameters            = local.format.serde
    }

    dynamic "columns" {
      for_each = local.columns
      content {
        name = columns.value
        type = "string"
      }
    }
  }
}
