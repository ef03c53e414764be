"""The audit's checks, one file for each subject. Each check is a function from the account to findings."""
