"""The edge's decision as a service for front doors: nginx, Caddy, Traefik and Envoy."""
