"""Saved Athena queries over CloudFront's access logs: who used which key, who shares links, what shorter lives stop."""

import re
from collections.abc import Sequence
from string import Template
from typing import Final

from aws_cdk import Aws, Duration, RemovalPolicy
from aws_cdk import aws_athena as athena
from aws_cdk import aws_glue as glue
from aws_cdk import aws_s3 as s3
from constructs import Construct

from keyfront.bundled import terraform_modules
from keyfront.errors import InputError
from keyfront.integrations.cdk.log_table import LEGACY_FIELDS, TABLE, Format, LogTable

_NAME: Final = re.compile(r"[a-z][a-z0-9-]{2,35}")
_GIGABYTE: Final = 1024**3
_QUESTIONS: Final = {
    "keys": "Who used which key: key-pair ids, their paths, and the latest expiry",
    "hours": "Requests over time",
    "links": "Signatures that opened something: from how many networks and countries",
    "lives": "What shorter lives of links would have stopped",
    "referrers": "Sites that lead to signed links",
}


class LogQueries(Construct):  # type: ignore[misc]
    """A table over log files, a workgroup with a limit on what a query may read, and the queries of `keyfront logs`."""

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002  the CDK's name
        *,
        name: str,
        bucket: str,
        prefix: str = "",
        format: Format = "w3c",  # noqa: A002  as in the Terraform module
        fields: Sequence[str] = LEGACY_FIELDS,
        distribution_ids: Sequence[str] | None = None,
        partitioned: bool = True,
        first_day: str = "2025-01-01",
        days: int = 7,
        scan_limit_gb: int = 10,
        removal_policy: RemovalPolicy = RemovalPolicy.RETAIN,
    ) -> None:
        """Create the table, the workgroup and the queries.

        - `name` is that of the workgroup, and the start of other names.
        - `bucket` is the name of the bucket with the logs, and `prefix` the part of the keys before the partitions.
        - `format` is `parquet`, `json` or `w3c`. Legacy logs are `w3c`, and need `partitioned=False`.
        - `fields` are the log's fields, for `w3c` in their order. If not given, the 33 fields of legacy logs.
        - `distribution_ids`: give them if the keys have a folder for each distribution, before those for days.
        - `partitioned`: whether the keys have folders for years, months and days (`{yyyy}/{MM}/{dd}`).
        - `first_day` is the first day with logs. Athena looks for no earlier ones.
        - `days` is how many days the saved queries look back.
        - `scan_limit_gb` is the most that one query may read. Athena cancels a query that reads more.
        - `removal_policy` is that of the bucket with the results, which are deleted after seven days in any case.

        Raises `InputError`.
        """
        super().__init__(scope, id)
        if not _NAME.fullmatch(name):
            raise InputError(f"name is {name!r}: use 3 to 36 lower-case letters, digits and -, beginning with a letter")
        for what, number in (("days", days), ("scan_limit_gb", scan_limit_gb)):
            if number < 1 or number != int(number):
                raise InputError(f"{what} is {number!r}: use a whole number from 1 on")
        described = LogTable(bucket, prefix, format, fields, distribution_ids, partitioned, first_day)
        self.database: str = name.replace("-", "_")
        """The database's name. Its table is `files`."""
        self.results_bucket: s3.IBucket = self._results(removal_policy)
        """The bucket with the results."""
        table = self._table(described)
        group = self._workgroup(name, int(scan_limit_gb))
        self.workgroup: str = name
        """The workgroup's name, for `aws athena start-query-execution --work-group`."""
        self.queries: dict[str, str] = {}
        """The ids of the saved queries, by their questions."""
        for question, purpose in _QUESTIONS.items():
            query = athena.CfnNamedQuery(
                self,
                f"Query-{question}",
                name=f"{name}-{question}",
                description=purpose,
                work_group=group.name,
                database=self.database,
                query_string=_query(question, self.database, described.where(int(days))),
            )
            query.add_dependency(group)
            query.add_dependency(table)
            self.queries[question] = query.attr_named_query_id

    def _table(self, described: LogTable) -> glue.CfnTable:
        database = glue.CfnDatabase(
            self,
            "Database",
            catalog_id=Aws.ACCOUNT_ID,
            database_input={"name": self.database, "description": f"CloudFront access logs in {described.bucket}"},
        )
        table = glue.CfnTable(
            self,
            "Table",
            catalog_id=Aws.ACCOUNT_ID,
            database_name=self.database,
            table_input=described.input(),
        )
        table.add_dependency(database)
        return table

    def _workgroup(self, name: str, gigabytes: int) -> athena.CfnWorkGroup:
        return athena.CfnWorkGroup(
            self,
            "WorkGroup",
            name=name,
            description=f"Queries over CloudFront access logs, at most {gigabytes} GB each",
            recursive_delete_option=True,
            work_group_configuration={
                "enforceWorkGroupConfiguration": True,
                "publishCloudWatchMetricsEnabled": True,
                "bytesScannedCutoffPerQuery": gigabytes * _GIGABYTE,
                "resultConfiguration": {
                    "outputLocation": f"s3://{self.results_bucket.bucket_name}/",
                    "encryptionConfiguration": {"encryptionOption": "SSE_S3"},
                },
            },
        )

    def _results(self, removal_policy: RemovalPolicy) -> s3.Bucket:
        # Results hold paths, networks and hashes of signatures. Nobody needs them for long.
        expiry = s3.LifecycleRule(expiration=Duration.days(7), abort_incomplete_multipart_upload_after=Duration.days(1))
        return s3.Bucket(
            self,
            "Results",
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            encryption=s3.BucketEncryption.S3_MANAGED,
            enforce_ssl=True,
            lifecycle_rules=[expiry],
            removal_policy=removal_policy,
        )


def _query(question: str, database: str, where: str) -> str:
    """Return the same query as the Terraform module's."""
    text = (terraform_modules() / "log-queries" / "queries" / f"{question}.sql").read_text("utf-8")
    # Athena's dialect has dollar signs of its own ("$path"), which stay.
    return Template(text).safe_substitute(table=f'"{database}"."{TABLE}"', where=where)
