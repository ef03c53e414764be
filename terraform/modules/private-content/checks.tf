# What CloudFront would refuse, or would do wrong without a word: each list has the sentences to show.

locals {
  every_behavior = concat([local.default], var.behaviors)

  named_twice = [for name in distinct(local.target_names) : name if length([for other in local.target_names : other if other == name]) > 1]

  # Not a validation of the variable, because Terraform would show the line with the header's value.
  header_problems = [for name in nonsensitive(keys(var.custom_origin_headers)) : name if !contains(keys(var.custom_origins), name)]

  viewer_events = ["viewer-request", "viewer-response"]
  edge_events   = ["viewer-request", "viewer-response", "origin-request", "origin-response"]

  function_problems = flatten([for b in local.every_behavior : concat(
    [
      for event in keys(b.function_arns) : "${b.path_pattern} has a function for ${event}, and function_arns takes only ${join(" and ", local.viewer_events)}"
      if !contains(local.viewer_events, event)
    ],
    [
      for event in keys(b.lambda_functions) : "${b.path_pattern} has a function for ${event}, and lambda_functions takes only ${join(", ", local.edge_events)}"
      if !contains(local.edge_events, event)
    ],
    [
      for event, arn in b.function_arns : "${b.path_pattern} has ${arn} in function_arns, which is not a CloudFront function: use lambda_functions for Lambda@Edge"
      if !can(regex("^arn:aws[a-z-]*:cloudfront:", arn))
    ],
    [
      for event, f in b.lambda_functions : "${b.path_pattern} has ${f.arn}, and Lambda@Edge needs the ARN of a version (qualified_arn) in us-east-1, not of $LATEST or an alias"
      if !can(regex("^arn:aws[a-z-]*:lambda:us-east-1:[0-9]{12}:function:[A-Za-z0-9_-]+:[0-9]+$", f.arn))
    ],
    [
      for event, f in b.lambda_functions : "${b.path_pattern} has include_body for ${event}, and only requests have a body to show"
      if f.include_body && endswith(event, "-response")
    ],
    [
      for events in [setintersection(keys(b.lambda_functions), local.viewer_events)] :
      "${b.path_pattern} has a CloudFront function and Lambda@Edge for ${join(" and ", events)}: in viewer events CloudFront allows only one of the two kinds"
      if length(b.function_arns) > 0 && length(events) > 0
    ],
  )])

  group_problems = [
    for name, g in var.origin_groups : "${name} (${g.primary}, ${g.secondary})"
    if g.primary == g.secondary || length(setsubtract([g.primary, g.secondary], local.origin_names)) > 0
  ]

  # CloudFront asks the second origin only for these methods, and accepts no others.
  method_problems = [
    for b in local.every_behavior : "${b.path_pattern} (${join(", ", b.allowed_methods)})"
    if contains(keys(var.origin_groups), coalesce(b.origin, local.default_origin)) && length(setsubtract(b.allowed_methods, ["GET", "HEAD", "OPTIONS"])) > 0
  ]

  # CloudFront signs the Host that it sends. With the viewer's Host, S3 and Lambda answer 403 SignatureDoesNotMatch.
  viewers_host = ["Managed-AllViewer", "Managed-AllViewerAndCloudFrontHeaders-2022-06"]
  host_problems = [
    for b in local.every_behavior : "${b.path_pattern} (${b.origin_request_policy})"
    if b.origin_request_policy_id == null && contains(local.viewers_host, coalesce(b.origin_request_policy, "-"))
    && length(setintersection(local.signed_origins, try(
      [var.origin_groups[coalesce(b.origin, local.default_origin)].primary, var.origin_groups[coalesce(b.origin, local.default_origin)].secondary],
      [coalesce(b.origin, local.default_origin)],
    ))) > 0
  ]
}
