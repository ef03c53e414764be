"""What the edge keeps: objects, their pieces and bodies, how long they last, and who waits for one."""
