"""Short names for the API's shapes, only for type checkers. At run time the shapes are plain dictionaries.

Import this under `TYPE_CHECKING` only. All requests of a family share one type. Each operation uses its own members;
the members that the model requires are always there.
"""

from typing import TYPE_CHECKING, NotRequired, TypeAlias, TypedDict

if TYPE_CHECKING:
    from mypy_boto3_cloudfront import type_defs as t

    AllowedMethods: TypeAlias = t.AllowedMethodsOutputTypeDef
    ContinuousDeploymentConfig: TypeAlias = t.ContinuousDeploymentPolicyConfigOutputTypeDef
    EncryptionConfig: TypeAlias = t.FieldLevelEncryptionConfigOutputTypeDef
    EncryptionEntity: TypeAlias = t.EncryptionEntityOutputTypeDef
    EncryptionProfileConfig: TypeAlias = t.FieldLevelEncryptionProfileConfigOutputTypeDef
    EndPoint: TypeAlias = t.EndPointTypeDef
    SessionStickiness: TypeAlias = t.SessionStickinessConfigTypeDef
    TrafficConfig: TypeAlias = t.TrafficConfigTypeDef
    VPCOriginConfig: TypeAlias = t.VpcOriginEndpointConfigOutputTypeDef
    CacheBehavior: TypeAlias = t.CacheBehaviorOutputTypeDef
    CachePolicyConfig: TypeAlias = t.CachePolicyConfigOutputTypeDef
    CustomErrorResponse: TypeAlias = t.CustomErrorResponseTypeDef
    CustomHeaders: TypeAlias = t.CustomHeadersOutputTypeDef
    CustomOriginConfig: TypeAlias = t.CustomOriginConfigOutputTypeDef
    DefaultCacheBehavior: TypeAlias = t.DefaultCacheBehaviorOutputTypeDef
    DistributionConfig: TypeAlias = t.DistributionConfigOutputTypeDef
    ForwardedValues: TypeAlias = t.ForwardedValuesOutputTypeDef
    FunctionConfig: TypeAlias = t.FunctionConfigOutputTypeDef
    GeoRestriction: TypeAlias = t.GeoRestrictionOutputTypeDef
    ImportSource: TypeAlias = t.ImportSourceTypeDef
    InvalidationBatch: TypeAlias = t.InvalidationBatchOutputTypeDef
    KeyGroupConfig: TypeAlias = t.KeyGroupConfigOutputTypeDef
    MonitoringSubscription: TypeAlias = t.MonitoringSubscriptionTypeDef
    Origin: TypeAlias = t.OriginOutputTypeDef
    OriginAccessControlConfig: TypeAlias = t.OriginAccessControlConfigTypeDef
    OriginAccessIdentityConfig: TypeAlias = t.CloudFrontOriginAccessIdentityConfigTypeDef
    OriginGroup: TypeAlias = t.OriginGroupOutputTypeDef
    OriginRequestPolicyConfig: TypeAlias = t.OriginRequestPolicyConfigOutputTypeDef
    PublicKeyConfig: TypeAlias = t.PublicKeyConfigTypeDef
    ResponseHeadersPolicyCors: TypeAlias = t.ResponseHeadersPolicyCorsConfigOutputTypeDef
    ResponseHeadersPolicyConfig: TypeAlias = t.ResponseHeadersPolicyConfigOutputTypeDef
    Tags: TypeAlias = t.TagsOutputTypeDef
    ViewerCertificate: TypeAlias = t.ViewerCertificateTypeDef

    AnyBehavior: TypeAlias = CacheBehavior | DefaultCacheBehavior

    class ListRequest(TypedDict, total=False):
        """A page of a list."""

        Marker: str
        MaxItems: str

    class FamilyRequest(ListRequest, total=False):
        """Create, get, list, update or delete a resource of a `Family`. `Type` of policies: `managed` or `custom`."""

        Id: str
        IfMatch: str
        Type: str
        CachePolicyConfig: CachePolicyConfig
        ContinuousDeploymentPolicyConfig: ContinuousDeploymentConfig
        FieldLevelEncryptionConfig: EncryptionConfig
        FieldLevelEncryptionProfileConfig: EncryptionProfileConfig
        CloudFrontOriginAccessIdentityConfig: OriginAccessIdentityConfig
        KeyGroupConfig: KeyGroupConfig
        OriginAccessControlConfig: OriginAccessControlConfig
        OriginRequestPolicyConfig: OriginRequestPolicyConfig
        PublicKeyConfig: PublicKeyConfig
        ResponseHeadersPolicyConfig: ResponseHeadersPolicyConfig

    class UsersRequest(ListRequest, total=False):
        """List the distributions that use a resource of a `Family`."""

        CachePolicyId: str
        KeyGroupId: str
        OriginRequestPolicyId: str
        ResponseHeadersPolicyId: str

    class DistributionRequest(TypedDict, total=False):
        """Create, get, update or delete a distribution."""

        Id: str
        IfMatch: str
        DistributionConfig: DistributionConfig

    class CopyDistributionRequest(TypedDict):
        """Copy a primary distribution to a staging distribution."""

        PrimaryDistributionId: str
        CallerReference: str
        Staging: NotRequired[bool]
        IfMatch: NotRequired[str]
        Enabled: NotRequired[bool]

    class PromotionRequest(TypedDict):
        """Copy a staging distribution's configuration to its primary distribution."""

        Id: str
        StagingDistributionId: NotRequired[str]
        IfMatch: NotRequired[str]

    class AliasRequest(TypedDict):
        """Move an alias to a distribution."""

        TargetDistributionId: str
        Alias: str

    class WebACLRequest(TypedDict):
        """Associate a web ACL with a distribution, or take it away."""

        Id: str
        WebACLArn: NotRequired[str]
        IfMatch: NotRequired[str]

    class ConfigWithTags(TypedDict):
        """A distribution and its tags."""

        DistributionConfig: DistributionConfig
        Tags: Tags

    class DistributionWithTagsRequest(TypedDict):
        """Create a distribution with tags."""

        DistributionConfigWithTags: ConfigWithTags

    class WebACLUsersRequest(ListRequest):
        """List the distributions that use a web ACL."""

        WebACLId: str

    class RealtimeLogUsersRequest(ListRequest, total=False):
        """List the distributions that use a real-time log configuration."""

        RealtimeLogConfigName: str
        RealtimeLogConfigArn: str

    class NumberedPage(TypedDict, total=False):
        """A page of a list, whose size is a number."""

        Marker: str
        MaxItems: int

    class ConnectionModeRequest(NumberedPage):
        """List the distributions with a connection mode."""

        ConnectionMode: str

    class DistributionResource(TypedDict, total=False):
        """A distribution or a distribution tenant."""

        DistributionId: str
        DistributionTenantId: str

    class DomainConflictsRequest(NumberedPage):
        """List the resources that conflict with a domain."""

        Domain: str
        DomainControlValidationResource: DistributionResource

    class RealtimeLogConfig(TypedDict):
        """The stored data of a real-time log configuration, without its name."""

        EndPoints: list[EndPoint]
        Fields: list[str]
        SamplingRate: int

    class RealtimeLogRequest(ListRequest, total=False):
        """Create, get, list, update or delete a real-time log configuration."""

        Name: str
        ARN: str
        EndPoints: list[EndPoint]
        Fields: list[str]
        SamplingRate: int

    class VPCOriginRequest(ListRequest, total=False):
        """Create, get, update or delete a VPC origin, or list its distributions."""

        Id: str
        VpcOriginId: str
        IfMatch: str
        VpcOriginEndpointConfig: VPCOriginConfig
        Tags: Tags

    class ConflictingAliasesRequest(NumberedPage):
        """List the aliases that conflict with an alias."""

        DistributionId: str
        Alias: str

    class FunctionVersion(TypedDict):
        """The content of a function's stage."""

        FunctionConfig: FunctionConfig
        FunctionCode: bytes

    class FunctionRequest(TypedDict, total=False):
        """Create, read, update, publish or delete a function."""

        Name: str
        IfMatch: str
        Stage: str
        FunctionConfig: FunctionConfig
        FunctionCode: bytes
        Tags: Tags

    class TestFunctionRequest(FunctionRequest):
        """Run a stage of a function on an event."""

        EventObject: bytes

    class ListFunctionsRequest(ListRequest, total=False):
        """List the functions in one stage or both."""

        Stage: str

    class KeyValueStoreConfig(TypedDict):
        """The stored data of a key value store, without its name. Without a comment, answers have no such member."""

        Id: str
        Comment: NotRequired[str]

    class KeyValueStoreRequest(TypedDict, total=False):
        """Create, describe, update or delete a key value store."""

        Name: str
        IfMatch: str
        Comment: str
        ImportSource: ImportSource
        Tags: Tags

    class ListKeyValueStoresRequest(ListRequest, total=False):
        """List the key value stores with one status, or all."""

        Status: str

    class MonitoringRequest(TypedDict, total=False):
        """Create, get or delete a monitoring subscription."""

        DistributionId: str
        MonitoringSubscription: MonitoringSubscription

    class TagKeys(TypedDict, total=False):
        """The keys of tags."""

        Items: list[str]

    class TagsRequest(TypedDict, total=False):
        """List, add or remove the tags of a resource."""

        Resource: str
        Tags: Tags
        TagKeys: TagKeys

    class InvalidationRequest(ListRequest, total=False):
        """Create, get or list invalidations."""

        DistributionId: str
        Id: str
        InvalidationBatch: InvalidationBatch
