"""One engine in a process of its own: worker.py convert|serve ENGINE JOB.json

convert makes the engine's files. serve loads the network and answers a line on stdin with a line on stdout: an empty line with the
milliseconds of one run, "result IN.npy OUT.npy" with "done". First it says "ready MS": from the import of the engine's package to its
first picture, Python's own start left out. A line "not had: REASON" instead, when the engine has no such thing.
"""

import json
import os
import sys
import time


def main():
    verb, name, path = sys.argv[1:]
    # Some engines print on stdout: what this program says goes to a copy of it, what they say to stderr.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def say(line):
        answers.write(f"{line}\n")
        answers.flush()

    import numpy as np

    from engines import ENGINES
    from engines.base import Job, NotHad

    with open(path) as file:
        job = Job(**json.load(file))
    try:
        if verb == "convert":
            ENGINES[name].convert(job)
            say("converted")
            return 0
        start = time.perf_counter()
        engine = ENGINES[name](job)
        engine.run()
        say(f"ready {(time.perf_counter() - start) * 1000:.3f}")
    except NotHad as error:
        say(f"not had: {error}")
        return 0
    except ModuleNotFoundError as error:
        say(f"not had: {error.name} is not installed")
        return 0
    for line in sys.stdin:
        words = line.split()
        if words:
            np.save(words[2], engine.result(np.load(words[1])))
            say("done")
        else:
            say(f"{engine.run():.4f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
