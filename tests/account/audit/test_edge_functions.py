"""Functions on open behaviors beside protected ones."""

from tests.account.audit.test_rules import NOW, behavior, distribution

from keyfront.account.audit import Evidence, Settings, judge
from keyfront.inventory import FunctionAssociation, Inventory

ARN = "arn:aws:cloudfront::123456789012:function/rewrite"


def found(*behaviors: object, rule: str = "function-beside-protected") -> list[tuple[str, str]]:
    account = Evidence(Inventory(distributions=(distribution(*behaviors),)), Settings(NOW))  # type: ignore[arg-type]
    findings = [each for each in judge(account).findings if each.rule.id == rule]
    return [(str(each.severity), each.resource) for each in findings]


def test_a_function_that_can_rewrite_into_protected_content_is_found() -> None:
    rewrites = (FunctionAssociation("viewer-request", ARN),)
    tells = (FunctionAssociation("viewer-response", ARN),)

    opened = behavior("enter/*", protected=False, associations=rewrites)
    assert found(opened, behavior()) == [("medium", "E1FILMS:enter/*")]
    assert found(behavior("enter/*", protected=False, associations=tells), behavior()) == []
    assert found(behavior("enter/*", associations=rewrites), behavior()) == []
    assert found(behavior("enter/*", protected=False), behavior()) == []
    assert found(opened, behavior(protected=False)) == []
    other = behavior("enter/*", protected=False, associations=rewrites, target_origin_id="other")
    assert found(other, behavior()) == []


def test_preflights_that_a_function_never_sees_are_found() -> None:
    rewrites = (FunctionAssociation("viewer-request", ARN),)
    methods = ("GET", "HEAD", "OPTIONS")
    rule = "preflight-before-function"

    assert found(behavior(associations=rewrites, allowed_methods=methods), rule=rule) == [("info", "E1FILMS:*")]
    assert found(behavior(associations=rewrites), rule=rule) == []
    assert found(behavior(allowed_methods=methods), rule=rule) == []
    assert found(behavior(protected=False, associations=rewrites, allowed_methods=methods), rule=rule) == []
