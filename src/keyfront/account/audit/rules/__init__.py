"""What an audit looks for, a file a subject; each check is a function from the account to findings."""
