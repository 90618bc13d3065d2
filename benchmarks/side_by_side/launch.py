"""Start a command and tell, as JSON, its seconds to the end and the most memory it had (MB); nothing else is imported.

A process counts the memory of the one that starts it as its own: this one is small, the driver is not.
"""

import json
import os
import sys
import time


def main(log: str, command: list[str]) -> None:
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    actions = [(os.POSIX_SPAWN_DUP2, output, number) for number in (1, 2)]
    start = time.perf_counter()
    child = os.posix_spawn(command[0], command, os.environ, file_actions=actions)
    _, status, used = os.wait4(child, 0)
    seconds = time.perf_counter() - start
    print(json.dumps({"seconds": seconds, "memory": used.ru_maxrss / 1024, "code": os.waitstatus_to_exitcode(status)}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
