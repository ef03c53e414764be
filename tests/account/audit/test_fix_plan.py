"""The plan of fixes: its order, what it leaves to a person, and names that would run as commands."""

import subprocess
from dataclasses import replace
from pathlib import Path

from tests.account.audit.test_rules import ARN, account, behavior, distribution, document, encrypted, found, grant

from keyfront.account.audit import Evidence, judge
from keyfront.account.audit.fix_plan import shell_script, terraform
from keyfront.account.audit.grouping import by_distribution
from keyfront.account.audit.values import Secret

SECRET = Secret("arn:s", "shop-signing-key", "secret", True, state="deleted")


def faulty() -> Evidence:
    shut = behavior("films/*", viewer_protocol_policy="allow-all", origin_request_policy_id="all")
    made = distribution(shut, behavior("trailers/*", protected=False), behavior(protected=False))
    clean = account(made, distribution(behavior(protected=False), named="E2COPY"), secrets=(SECRET,))
    bucket = replace(clean.buckets["films"], policy=document(), blocked={}, objects=("films/1.mp4", "trailers/1.mp4"))
    return replace(clean, buckets={"films": bucket})


def test_what_would_be_lost_comes_first_and_what_closes_comes_last() -> None:
    script = shell_script(judge(faulty()), faulty())
    ordered = [
        "restore-secret --secret-id shop-signing-key",
        "put-bucket-policy --bucket films",
        "cloudfront get-distribution-config --id E1FILMS",
        "put-public-access-block --bucket films",
    ]
    places = [script.index(each) for each in ordered]
    assert places == sorted(places)
    assert [line[:4] for line in script.splitlines() if line[:3] in ("# 1", "# 2", "# 3", "# 4")] == [
        "# 1.",
        "# 2.",
        "# 3.",
        "# 4.",
    ]


def test_all_changes_of_a_distribution_are_one_update() -> None:
    script = shell_script(judge(faulty()), faulty())
    assert script.count("update-distribution --id E1FILMS") == 1
    assert '.OriginRequestPolicyId = "b689b0a8-53d0-40ab-baf2-68738e2966ac"' in script
    assert '.ViewerProtocolPolicy = "https-only"' in script


def test_what_may_be_meant_is_left_to_a_person() -> None:
    script = shell_script(judge(faulty()), faulty())
    about = script.partition("same-content-open: E1FILMS:trailers/*")[2].partition("\n\n")[0]
    assert "\n# by hand: in the behavior: trusted_key_groups" in about


def test_every_finding_is_in_both_plans() -> None:
    report = judge(faulty())
    for plan in (shell_script(report, faulty()), terraform(report, faulty())):
        assert all(f"{each.rule.id}: {each.resource}" in plan for each in report.findings)


def test_terraform_names_the_place_of_each_argument() -> None:
    plan = terraform(judge(faulty()), faulty())
    assert "# in ordered_cache_behavior 'films/*'\norigin_request_policy_id = " in plan
    assert '# in ordered_cache_behavior\nviewer_protocol_policy = "https-only"' in plan
    assert f'values   = ["{ARN}E1FILMS"]' in plan
    assert "# by hand: aws secretsmanager restore-secret" in plan


def test_one_policy_for_all_distributions_of_a_key_is_written_once() -> None:
    one = encrypted(document())
    both = replace(one, inventory=account(distribution(), distribution(named="E2MORE")).inventory)
    script = shell_script(judge(both), both)
    assert script.count("\naws kms put-key-policy") == 1
    assert f'["{ARN}E1FILMS", "{ARN}E2MORE"]' in script


def test_no_name_runs_as_a_command(tmp_path: Path) -> None:
    evil = "x'; touch pwned; '$(touch pwned)`touch pwned`\ntouch pwned"
    made = distribution(behavior(f"{evil}/*", viewer_protocol_policy="allow-all"), behavior(protected=False))
    bucket = replace(account().buckets["films"], name="films", policy=document(grant(Sid=evil)), blocked={})
    evidence = replace(account(made), buckets={"films": bucket}, secrets=(replace(SECRET, name=evil),))
    script = shell_script(judge(evidence), evidence)
    # `echo` instead of each program: the shell alone reads the names.
    harmless = "aws() { :; }; jq() { :; }; keyfront() { :; }; touch() { echo pwned; }\n"
    done = subprocess.run(
        ["/bin/sh"], input=harmless + script, capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_findings_are_grouped_by_their_distribution_and_the_accounts_come_last() -> None:
    groups = by_distribution(found(faulty()), faulty().inventory)
    assert [None if each is None else each.id for each, _ in groups] == ["E1FILMS", "E2COPY", None]
    assert [each.rule.id for each in groups[-1][1]] == ["private-key-going"]
    assert {each.rule.id for each in groups[1][1]} == {"open-through-another-distribution"}
