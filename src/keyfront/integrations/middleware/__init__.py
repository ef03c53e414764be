"""CloudFront's access check in front of your own application: `asgi.TrustedKeyGroups` and `wsgi.TrustedKeyGroups`.

Both use only the core, and need neither an edge nor an account.
"""
