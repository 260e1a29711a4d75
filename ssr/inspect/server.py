"""The routes of the page. Everything is read from the stores when it is asked for."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

from ssr.data.index import Image
from ssr.errors import InputError
from ssr.inspect.affinity import Affinities
from ssr.inspect.arrays import picture, stage_array
from ssr.inspect.guard import Guard
from ssr.inspect.overview import describe, images, scores
from ssr.inspect.renewed import Renewed, stamp
from ssr.results import MissingError, Results

_STATIC = Path(__file__).parent / "static"
_MISSING = {"x-missing": "true"}


def application(opened: Sequence[Results], token: str) -> ASGIApp:
    """The pages of results as they are when asked for: /`token`/, then /`token`/2/ and so on."""
    paths = [f"/{token}/{place or ''}".rstrip("/") for place in (0, *range(2, len(opened) + 1))]
    folders = dict(zip(paths, distinct_names([results.folder for results in opened]), strict=True))
    pages = {
        path: Renewed(results, partial(_pages, token=token, path=path, folders=folders))
        for path, results in zip(paths, opened, strict=True)
    }

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        asked = f"{scope.get('path', '')}/"
        path = next((path for path in paths[1:] if asked.startswith(f"{path}/")), paths[0])
        await pages[path]()(scope, receive, send)

    return answer


def distinct_names(folders: Sequence[Path]) -> list[str]:
    """What tells folders of results apart: their names, or paths from where these part."""
    names = [folder.name for folder in folders]
    if len(set(names)) == len(names):
        return names
    start = os.path.commonpath([folder.parent for folder in folders])
    return [str(folder.relative_to(start)) for folder in folders]


def _pages(results: Results, token: str, path: str, folders: dict[str, str]) -> Starlette:
    """The page at `path` of results whose settings, images and masks stay what they are.

    `folders`: the names of all that are served, by their paths.
    """
    affinities = Affinities(results)

    def asked(request: Request) -> Image:
        """The image in the address, if the index has it: no id becomes a path."""
        image = results.images.get(request.path_params["id"])
        if image is None:
            raise HTTPException(404, "no image has this id")
        return image

    def image_picture(request: Request) -> Response:
        side = _number(request, "side", 0)
        return Response(picture(results, asked(request), side), media_type="image/jpeg")

    def image_array(request: Request) -> Response:
        method, stage = _method(request, results), request.path_params["stage"]
        return _binary(stage_array(results, asked(request), method, stage))

    def affinity(request: Request) -> Response:
        method, patch = _method(request, results), _number(request, "patch", 0)
        column = request.query_params.get("mode") == "column"
        return _binary(affinities.lines(asked(request), method, patch, column))

    def image_scores(request: Request) -> Response:
        stage = request.path_params["stage"]
        return JSONResponse(scores(results, stage, _method(request, results)))

    def prototypes(request: Request) -> Response:
        # Heads are networks: torch takes a second to import, which no other page waits for.
        from ssr.inspect.prototypes import clusters

        round_ = _number(request, "round", 0)
        return JSONResponse(clusters(results, _method(request, results), round_))

    def once(make: Callable[[], Any]) -> Callable[[Request], Response]:
        return lambda _: JSONResponse(make())

    listed = {"path": f"{path}/", "folders": {f"{path}/": name for path, name in folders.items()}}
    routes = [
        Route("/", lambda _: FileResponse(_STATIC / "index.html")),
        Route("/describe.json", once(lambda: describe(results) | listed)),
        Route("/images.json", once(partial(images, results))),
        Route("/stamp", lambda _: PlainTextResponse(stamp(results.folder))),
        Route("/scores/{stage}", image_scores),
        Route("/prototypes", prototypes),
        Route("/image/{id}", image_picture),
        Route("/array/{stage}/{id}", image_array),
        Route("/affinity/{id}", affinity),
        Mount("/static", StaticFiles(directory=_STATIC)),
    ]
    return Starlette(
        routes=[Mount(path, routes=routes)],
        middleware=[
            Middleware(Guard, token=token),
            Middleware(GZipMiddleware, compresslevel=1),
        ],
        exception_handlers={
            # No failure, which a browser would print in its console: the page tells it.
            MissingError: lambda _, error: PlainTextResponse(error.why, headers=_MISSING),
            InputError: lambda _, error: PlainTextResponse(str(error), 500),
        },
    )


def _number(request: Request, name: str, default: int) -> int:
    text = request.query_params.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise HTTPException(404, f"{name} is a whole number")
    return int(text)


def _method(request: Request, results: Results) -> str:
    methods = list(results.config.methods)
    method = request.query_params.get("method", methods[0])
    if method not in methods:
        raise HTTPException(404, f"method is one of {', '.join(methods)}")
    return method


def _binary(array: np.ndarray) -> Response:
    """An array as it lies in memory, little-endian; headers say its shape and type."""
    little = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
    headers = {"x-shape": ",".join(map(str, array.shape)), "x-type": array.dtype.name}
    return Response(little.tobytes(), media_type="application/octet-stream", headers=headers)
