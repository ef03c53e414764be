"""CloudFront's access check in front of one's own application: `asgi.TrustedKeyGroups` and `wsgi.TrustedKeyGroups`.

Both judge by the core alone; they know neither the edge nor an account.
"""
