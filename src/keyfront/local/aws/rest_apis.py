"""Extends moto's REST APIs: a deployment can be deleted once no stage points to it.

Source: API Gateway API Reference, "DeleteDeployment": there must be no stages of the deployment.
"""

from moto.apigateway.exceptions import DeploymentNotFoundException, StageStillActive
from moto.apigateway.models import Deployment, RestAPI


def install() -> None:
    """Extend moto. It would refuse to delete a deployment whose stage has moved to another one."""
    RestAPI.delete_deployment = _delete_deployment  # type: ignore[method-assign]


def _delete_deployment(self: RestAPI, deployment_id: str) -> Deployment:
    if deployment_id not in self.deployments:
        raise DeploymentNotFoundException
    if any(stage.deployment_id == deployment_id for stage in self.stages.values()):
        raise StageStillActive
    found: Deployment = self.deployments.pop(deployment_id)
    return found
