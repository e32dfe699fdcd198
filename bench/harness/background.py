"""Something that goes on beside the work of a `with`."""

import threading


class Background:
    """A base: run() goes on in a thread of its own inside the `with`, and ends soon after self.over is set."""

    def __init__(self):
        self.over, self.thread = threading.Event(), threading.Thread(target=self.run, daemon=True)

    def run(self):
        raise NotImplementedError

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()
