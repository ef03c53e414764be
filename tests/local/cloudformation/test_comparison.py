"""How the properties of a template are compared with those of a resource."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyfront.local.cloudformation.comparison import differences

_NAMES = st.sampled_from("abcde")
_SCALARS = st.one_of(st.booleans(), st.integers(), st.text(max_size=5))
_FLAT = st.one_of(_SCALARS, st.lists(_SCALARS, max_size=3), st.dictionaries(_NAMES, _SCALARS, max_size=3))
_VALUES = st.one_of(_FLAT, st.lists(_FLAT, max_size=3))


@given(st.dictionaries(_NAMES, _VALUES, max_size=3))
def test_properties_do_not_differ_from_themselves(properties: dict[str, Any]) -> None:
    assert differences(properties, properties) == []
    # What the template does not set does not count.
    assert differences(properties, {**properties, "more": 1}) == []


@given(st.lists(st.text(min_size=1, max_size=3), unique=True, max_size=4), st.text(min_size=4, max_size=6))
def test_one_more_item_is_one_addition_in_any_order(items: list[str], more: str) -> None:
    (found,) = differences({"a": items}, {"a": [more, *reversed(items)]})
    assert (found.kind, found.actual) == ("ADD", more)
    (back,) = differences({"a": [*items, more]}, {"a": items})
    assert (back.kind, back.expected) == ("REMOVE", more)


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        ({"A": ["x"]}, {"A": {"Quantity": 1, "Items": ["x"]}}),
        ({"A": []}, {"A": {"Enabled": False, "Quantity": 0}}),
        ({"A": {"Items": ["x"]}}, {"A": {"Quantity": 1, "Items": ["x"]}}),
        ({"A": "7"}, {"a": 7}),
        ({"A": "true"}, {"A": True}),
        ({"A": {"B": 1}}, {"A": '{"B": 1}'}),
        ({"A": "{{resolve:ssm:/p}}"}, {"A": "anything"}),
        ({"A": {"Locations": ["DE"], "RestrictionType": "none"}}, {"A": {"Items": ["DE"], "RestrictionType": "none"}}),
        ({"A": False, "B": ""}, {}),
    ],
)
def test_these_mean_the_same(expected: dict[str, Any], actual: dict[str, Any]) -> None:
    assert differences(expected, actual) == []
