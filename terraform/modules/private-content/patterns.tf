# The first behavior that matches a path decides. So an earlier pattern that covers a later one takes all its requests.
# The check: the earlier pattern matches the text of the later one, and its `?` matches any character but `*`.
# It has no false positives. It misses unusual spellings (`*?` and `?*`), and several patterns that only together cover one.
locals {
  patterns = [for b in var.behaviors : "/${trimprefix(b.path_pattern, "/")}"]
  matchers = [
    for p in local.patterns :
    "^${replace(replace(replace(p, "/[.+$]/", "\\$0"), "*", ".*"), "?", "[^*]")}$"
  ]
  covered = flatten([
    for later, pattern in local.patterns : [
      for earlier, matcher in local.matchers : { earlier = earlier, later = later }
      if earlier < later && can(regex(matcher, pattern))
    ]
  ])
  opened = [
    for pair in local.covered :
    "${var.behaviors[pair.earlier].path_pattern} opens ${var.behaviors[pair.later].path_pattern}"
    if length(var.behaviors[pair.earlier].key_group_ids) == 0 && length(var.behaviors[pair.later].key_group_ids) > 0
  ]
  unreachable = [
    for pair in local.covered :
    "${var.behaviors[pair.earlier].path_pattern} covers all of ${var.behaviors[pair.later].path_pattern}"
    if !(length(var.behaviors[pair.earlier].key_group_ids) == 0 && length(var.behaviors[pair.later].key_group_ids) > 0)
  ]
}
