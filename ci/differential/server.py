# SPDX-License-Identifier: MPL-2.0
"""The HTTP server of the differential test: hands out the cases' scripts and a few files, and keeps what it is asked for.

/all/TOPIC is the script that runs a topic's cases one after the other, /case/NAME is a case. What comes between two of these
requests belongs to the case before."""
import http.server
import threading

FILES = {
    "/f/script": b"#!ipxe\necho in the script\n",
    "/f/fails": b"#!ipxe\necho before\nisset ${nothing}\necho behind\n",
    "/f/exit0": b"#!ipxe\necho before\nexit\necho behind\n",
    "/f/exit7": b"#!ipxe\necho before\nexit 7\necho behind\n",
    "/f/sets": b"#!ipxe\nset inner from the script\n",
    "/f/deeper": b"#!ipxe\necho outer\nchain script\necho outer again\n",
    "/f/replaces": b"#!ipxe\necho outer\nchain --replace script\necho outer again\n",
    "/f/cwuri": b"#!ipxe\necho ${cwuri}\n",
    "/f/args": b"#!ipxe\necho [${1}] [${2}]\n",
    "/f/text": b"only a text\n",
    "/f/crlf": b"#!ipxe\r\necho one\r\necho two\r\n",
    "/f/nolf": b"#!ipxe\necho last line without its end",
    "/f/blank": b"#!ipxe \necho blank behind the mark\n",
    "/f/gpxe": b"#!gpxe\necho an old mark\n",
    "/f/empty": b"",
}


class Server:
    def __init__(self, scripts):
        self.scripts = scripts
        self.case = None
        self.requests = {}
        self.httpd = http.server.ThreadingHTTPServer(("", 80), self.handler())
        self.httpd.daemon_threads = True
        self.httpd.handle_error = lambda *_: None  # a machine that ends resets its connections
        threading.Thread(target=self.httpd.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def stop(self):
        self.httpd.shutdown()
        self.httpd.server_close()

    def note(self, method, path, body):
        if path in self.scripts:
            self.case = path.split("/")[-1]
            self.requests.setdefault(self.case, [])
        elif self.case is not None:
            self.requests[self.case].append(f"> {method} {path}" + (f" {body.decode('latin-1')}" if body else ""))

    def handler(self):
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                server.note(self.command, self.path, body)
                path = self.path.split("?")[0]
                data = server.scripts.get(path, FILES.get(path))
                if path == "/f/moved":
                    self.send_response(302)
                    self.send_header("Location", "/f/script")
                    data = b""
                else:
                    self.send_response(200 if data is not None else 404)
                self.send_header("Content-Length", str(len(data or b"")))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(data or b"")

            do_GET = do_POST = do_HEAD = answer

            def log_message(self, *args):
                pass

        return Handler
