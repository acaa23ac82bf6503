#!/usr/bin/env python3
"""Passes connections on to PORT of this machine from a port of its own, which it tells first. Whoever is
behind it is away as soon as this program ends.

usage: away.py PORT [OWN_PORT]
"""

import asyncio
import sys


async def pour(reader, writer):
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()


async def main():
    port = int(sys.argv[1])
    own = int(sys.argv[2]) if len(sys.argv) > 2 else 0

    async def take(reader, writer):
        try:
            to_reader, to_writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            writer.close()
            return
        await asyncio.gather(pour(reader, to_writer), pour(to_reader, writer))

    server = await asyncio.start_server(take, "127.0.0.1", own)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await server.serve_forever()


asyncio.run(main())
