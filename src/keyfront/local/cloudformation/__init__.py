"""Custom resources for moto's CloudFormation, and rollback of a stack when one of them fails."""
