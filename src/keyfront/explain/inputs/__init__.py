"""What people paste: a URL, a curl command, a HAR file, a response."""
