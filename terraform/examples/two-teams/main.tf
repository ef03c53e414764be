# Two teams, one distribution: each team signs for its own folder, and neither can open the other's.

locals {
  folder = coalesce(var.keys, "${path.module}/keys")
  teams  = ["a", "b"]
}

module "trusted_key_group" {
  source   = "../../modules/trusted-key-group"
  for_each = toset(local.teams)

  name = "${var.name}-${each.key}"
  keys = { current = file("${local.folder}/${each.key}/public_key.pem") }
}

module "content" {
  source = "../../modules/private-content"

  name = var.name
  behaviors = [
    for team in local.teams : {
      path_pattern  = "/team-${team}/*"
      key_group_ids = [module.trusted_key_group[team].key_group_id]
    }
  ]
  # Both teams can sign for paths outside the two folders.
  default_key_group_ids = [for team in local.teams : module.trusted_key_group[team].key_group_id]
  force_destroy         = true # for an example: destroy the content too
}

resource "aws_s3_object" "report" {
  for_each = toset(local.teams)

  bucket       = module.content.bucket
  key          = "team-${each.key}/report.txt"
  content      = "For team ${each.key} alone.\n"
  content_type = "text/plain"
}

resource "aws_s3_object" "both" {
  bucket       = module.content.bucket
  key          = "canteen.txt"
  content      = "For both teams.\n"
  content_type = "text/plain"
}
