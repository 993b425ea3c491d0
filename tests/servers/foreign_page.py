"""A web page of another origin, for a browser: its script tries something, and says what came of it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.support.commandline import LONG


@contextmanager
def page(html: str) -> Iterator[tuple[str, list[str]]]:
    """Serve a page whose image comes when its script has asked for `/said?WHAT`; gives its URL, and what was said."""
    said: list[str] = []
    done = threading.Event()

    class Connection(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path, _, query = self.path.partition("?")
            if path == "/said":
                said.append(query)
                done.set()
            elif path == "/wait":
                done.wait(LONG)
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(html.encode())

        def log_message(self, format: str, *args: object) -> None:
            """Log nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Connection) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/", said
        done.set()
        server.shutdown()
