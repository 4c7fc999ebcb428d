"""The floor of the server: the same stack, and next to nothing behind it.

It tells everybody on a POST, commits one row on a POST, and gives out files.
"""

import socket
import sqlite3
import sys
import threading
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

FOLDER = Path(sys.argv[1])
_sockets: set[WebSocket] = set()
_writing = threading.Lock()


async def listen(websocket: WebSocket) -> None:
    """Be told."""
    await websocket.accept(websocket.scope["subprotocols"][0])
    _sockets.add(websocket)
    try:
        await websocket.receive_text()
    except (WebSocketDisconnect, KeyError):
        _sockets.discard(websocket)


async def tell(request: Request) -> Response:
    """Tell everybody."""
    await request.body()
    for each in _sockets:
        await each.send_text('{"say":"head","head":1}')
    return Response()


async def commit(request: Request) -> Response:
    """Keep one row."""
    await run_in_threadpool(_kept, _databases[request.path_params["synchronous"]], await request.body())
    return Response(status_code=201)


async def give(request: Request) -> Response:
    """A file."""
    await request.body()
    return FileResponse(FOLDER / request.path_params["name"])


def _kept(database: sqlite3.Connection, data: bytes) -> None:
    with _writing:
        database.execute("INSERT INTO rows (data) VALUES (?)", (data,))


def _database(synchronous: str) -> sqlite3.Connection:
    database = sqlite3.connect(FOLDER / f"{synchronous}.db", isolation_level=None, check_same_thread=False)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute(f"PRAGMA synchronous = {synchronous}")
    database.execute("CREATE TABLE IF NOT EXISTS rows (key INTEGER PRIMARY KEY, data BLOB NOT NULL)")
    return database


_databases = {synchronous: _database(synchronous) for synchronous in ("FULL", "NORMAL")}

if __name__ == "__main__":
    app = Starlette(
        routes=[
            WebSocketRoute("/api/v1/socket", listen),
            Route("/tell", tell, methods=["POST"]),
            Route("/commit/{synchronous}", commit, methods=["POST"]),
            Route("/files/{name}", give, methods=["POST"]),
        ]
    )
    bound = socket.create_server(("127.0.0.1", 0), backlog=2048)
    bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # as the server has it
    print(f"Serving at http://127.0.0.1:{bound.getsockname()[1]}", flush=True)
    config = uvicorn.Config(
        app, ws="websockets-sansio", ws_per_message_deflate=False, log_level="warning", access_log=False, lifespan="off"
    )
    uvicorn.Server(config).run([bound])
