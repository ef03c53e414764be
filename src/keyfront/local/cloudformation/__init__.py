"""moto's CloudFormation, taught custom resources and how a stack ends when one of them fails."""
