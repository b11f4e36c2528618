"""A Prefect server on loopback that lives as long as its standard input stays open.

Run by `flows.server` as `python -m flows.embedded_server DESCRIPTOR`: the number of a listening socket that it
inherits. It imports what it needs, then waits for a line on standard input before it serves or writes anything. The
parent holds the other end of the pipe, so even a parent killed with SIGKILL takes the server with it.
"""

from __future__ import annotations

import os
import socket
import sys
import threading


def main() -> None:
    """Serve from the first line of standard input to its end."""
    listener = socket.socket(fileno=int(sys.argv[1]))
    import uvicorn
    from prefect.server.api.server import create_app

    if not sys.stdin.buffer.readline():
        return
    server = uvicorn.Server(uvicorn.Config(create_app(), log_level="warning", timeout_graceful_shutdown=1))

    def follow_parent() -> None:
        sys.stdin.buffer.read()
        server.should_exit = True
        # Background services may hold the loop for longer than anyone wants to wait.
        threading.Timer(3.0, os._exit, args=(0,)).start()

    threading.Thread(target=follow_parent, daemon=True).start()
    server.run(sockets=[listener])
    os._exit(0)


if __name__ == "__main__":
    main()
