"""Forks with an open client, publisher and subscription, and uses them in both processes.

Prints the errors of the child, and the events that the parent receives.
"""

import os
import sys
from typing import Any

from openresponses_grpc import EventStreamClient

from ..support.events import event, number


def child(client: EventStreamClient, opened: Any, subscription: Any) -> None:
    for use in (
        lambda: client.get_stream("s"),
        lambda: client.publish("t").__enter__(),
        lambda: opened.send(event(1)),
        lambda: opened.flush(),
        lambda: opened.__exit__(None, None, None),
        lambda: next(subscription),
    ):
        try:
            use()
        except RuntimeError as error:
            print(error)
    sys.stdout.flush()


def main(server: str) -> None:
    with EventStreamClient(server) as client, client.publish("s") as opened:
        opened.send(event(0))
        opened.flush()
        subscription = client.subscribe("s")
        received = [number(next(subscription))]
        pid = os.fork()
        if not pid:
            child(client, opened, subscription)
            os._exit(0)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        opened.send(event(1))
        opened.flush()
        print([*received, number(next(subscription))])
    sys.exit(status)


main(*sys.argv[1:])
