"""Who may ask: a browser on this machine that knows the token."""

from __future__ import annotations

import hmac

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_NAMES = ("127.0.0.1", "localhost")
_HEADERS = {
    b"content-security-policy": b"default-src 'self'; img-src 'self' data:; base-uri 'none'; "
    b"frame-ancestors 'none'; form-action 'none'",
    b"referrer-policy": b"no-referrer",
    b"x-content-type-options": b"nosniff",
    b"cross-origin-resource-policy": b"same-origin",
}


class Guard:
    """Answer 403 unless the path begins with `token` and the host's name is this machine's own.

    Login nodes are shared: whoever is on the machine reaches the port. And a page on the web may
    have its name resolve to 127.0.0.1, which the name it then asks for betrays.
    """

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._token = token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *_HEADERS.items()]
            await send(message)

        if scope["type"] != "http":
            return
        app = self._app if self._may(scope) else PlainTextResponse("wrong address", 403)
        await app(scope, receive, send_guarded)

    def _may(self, scope: Scope) -> bool:
        given = scope["path"].split("/")[1].encode()
        name = Headers(scope=scope).get("host", "").partition(":")[0]
        return hmac.compare_digest(given, self._token) and name in _NAMES
