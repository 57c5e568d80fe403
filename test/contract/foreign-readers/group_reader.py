"""Reads a log stream the way Python's redis-streams package does, with nothing but the standard library.

The calls are those of that package: XGROUP CREATE from 0-0, own pending entries counted by XPENDING, new ones
fetched by XREADGROUP with BLOCK, the batch taken from the group's history, each entry acknowledged by XACK.

    python3 group_reader.py PORT STREAM COUNT

Prints one line of JSON for each record: the fields as Python sees them.
"""

import json
import socket
import sys

BATCH = 7


class Redis:
    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        self.file = self.socket.makefile("rb")

    def __call__(self, *args):
        parts = [str(arg).encode() for arg in args]
        wire = b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)
        self.socket.sendall(b"*%d\r\n%s" % (len(parts), wire))
        return self.reply()

    def reply(self):
        line = self.file.readline()[:-2]
        kind, rest = line[:1], line[1:]
        if kind == b"$":
            return None if rest == b"-1" else self.file.read(int(rest) + 2)[:-2].decode()
        if kind == b"*":
            return None if rest == b"-1" else [self.reply() for _ in range(int(rest))]
        if kind == b"-":
            raise RuntimeError(rest.decode())
        return int(rest) if kind == b":" else rest.decode()


def take(redis, stream):
    """A batch of at most BATCH entries, as (id, fields)."""
    assigned = sum(int(count) for _, count in redis("XPENDING", stream, "etl")[3] or [])
    if assigned < BATCH:
        redis("XREADGROUP", "GROUP", "etl", "me", "COUNT", BATCH - assigned, "BLOCK", 1000, "STREAMS", stream, ">")
    history = redis("XREADGROUP", "GROUP", "etl", "me", "COUNT", BATCH, "STREAMS", stream, "0")
    return [(id, dict(zip(flat[::2], flat[1::2]))) for id, flat in history[0][1]]


def main(port, stream, count):
    redis = Redis(port)
    redis("XGROUP", "CREATE", stream, "etl", "0-0", "MKSTREAM")
    seen = 0
    while seen < count:
        for id, fields in take(redis, stream):
            print(json.dumps(fields))
            redis("XACK", stream, "etl", id)
            seen += 1
    assert redis("XPENDING", stream, "etl")[0] == 0


main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
