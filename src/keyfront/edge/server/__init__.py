"""The edge as a server: its ports, its certificates, and reading the configuration."""
