"""Jobs over an account: rotating a signing key, auditing who trusts what."""
