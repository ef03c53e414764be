# The first behavior that matches a path decides. So an earlier pattern that covers a later one takes all its requests.
# Whether it does: the later pattern, read as text, is matched by the earlier one, whose `?` stands for anything but a `*`.
# That finds no pattern that is not covered. It misses unusual spellings (`*?` and `?*`), and several patterns that cover one together.
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
    "${var.behaviors[pair.earlier].path_pattern} leaves nothing for ${var.behaviors[pair.later].path_pattern}"
    if !(length(var.behaviors[pair.earlier].key_group_ids) == 0 && length(var.behaviors[pair.later].key_group_ids) > 0)
  ]
}
