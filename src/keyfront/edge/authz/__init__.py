"""The edge's decision as a service, for the front doors that people already run: nginx, Caddy, Traefik, Envoy."""
