"""What every port of this machine shares: the rule that says who may talk to it."""
