"""The edge as a server: ports, certificates, and the configuration that it follows."""
