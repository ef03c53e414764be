"""What goes back to the viewer: pages of the edge's own, headers, compression."""
