"""The macro of the Serverless Application Model, expanded by Amazon's own translator."""

import copy
import json
import logging
from collections.abc import Mapping
from typing import Any, Final

from keyfront.local.clients import session
from keyfront.local.cloudformation.faults import StackError

TRANSFORM: Final = "AWS::Serverless-2016-10-31"
_POLICIES: Final = {
    name: f"arn:aws:iam::aws:policy/{'' if name == 'AWSXrayWriteOnlyAccess' else 'service-role/'}{name}"
    for name in (
        *("AWSLambdaBasicExecutionRole", "AWSLambdaVPCAccessExecutionRole", "AWSXrayWriteOnlyAccess"),
        *("AWSXRayDaemonWriteAccess", "AWSLambdaSQSQueueExecutionRole", "AWSLambdaKinesisExecutionRole"),
        *("AWSLambdaDynamoDBExecutionRole", "AWSLambdaRole", "AWSStepFunctionsFullAccess"),
    )
}


def expand(document: Mapping[str, Any], given: Mapping[str, str], region: str) -> dict[str, Any]:
    """Return the template without the macro. Raises `StackError` with the translator's reason."""
    try:
        from samtranslator.model.exceptions import InvalidDocumentException
        from samtranslator.parser.parser import Parser
        from samtranslator.translator.translator import Translator
    except ImportError:
        raise StackError(
            f"Transform {TRANSFORM} failed with: this endpoint needs Amazon's translator for it: "
            "pip install aws-sam-translator"
        ) from None
    logging.getLogger("samtranslator").setLevel(logging.ERROR)
    translator = Translator(_POLICIES, Parser(), boto_session=session(region))
    try:
        found = translator.translate(copy.deepcopy(dict(document)), dict(given))
    except InvalidDocumentException as error:
        causes = ", ".join(cause.message for cause in error.causes) or error.message
        raise StackError(f"Transform {TRANSFORM} failed with: {causes}") from None
    found.pop("Transform", None)
    plain: dict[str, Any] = json.loads(json.dumps(found))
    return plain
