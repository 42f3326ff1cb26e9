"""The workloads of the benchmark, done by the library qemu.qmp.

Arguments: the sockets of QEMU and of the instant endpoint. Reads lines
"WORKLOAD TIMES", and answers each with a line of JSON.
"""

import asyncio
import json
import sys
import time

from qemu.qmp import QMPClient

CALLERS = 64
WANTED = "JOB_STATUS_CHANGE"


async def sequential(client, command, times):
    for _ in range(times):
        await client.execute(command)


async def pipelined(client, command, times):
    await asyncio.gather(
        *(sequential(client, command, times // CALLERS) for _ in range(CALLERS))
    )


async def events(client, command, times):
    heard = 0
    with client.listener(names=(WANTED,)) as listener:
        await client.execute(command)
        async for _ in listener:
            heard += 1
            if heard == times // 2:
                return


async def main():
    clients = {}
    for name, path in zip(("qemu", "instant"), sys.argv[1:]):
        clients[name] = QMPClient(name)
        await clients[name].connect(path)
    workloads = {
        "sequential-qemu": (sequential, "query-status"),
        "sequential-instant": (sequential, "query-status"),
        "pipelined-qemu": (pipelined, "query-status"),
        "pipelined-instant": (pipelined, "query-status"),
        "schema-qemu": (sequential, "query-qmp-schema"),
        "events-instant": (events, "cont"),
    }
    # Nothing happens on the connections while this waits for a line.
    for line in sys.stdin:
        workload, times = line.split()
        do, command = workloads[workload]
        client = clients[workload.rpartition("-")[2]]
        start = time.perf_counter()
        await do(client, command, int(times))
        print(json.dumps({"seconds": time.perf_counter() - start}), flush=True)
    for client in clients.values():
        await client.disconnect()


asyncio.run(main())
