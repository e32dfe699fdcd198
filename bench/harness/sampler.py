"""Looks at a server in the middle of a load: memory and who holds which connections."""

from background import Background


class Sampler(Background):
    """`with Sampler(server, seconds) as sampler:` around a load of so many seconds."""

    WHEN = (0.3, 0.6, 0.9)  # of the load

    def __init__(self, server, seconds):
        super().__init__()
        self.server, self.seconds = server, seconds
        self.memory_bytes, self.connections = 0, []

    def run(self):
        last = 0.0
        for when in self.WHEN:
            if self.over.wait((when - last) * self.seconds):
                return
            last = when
            self.server.usage()  # what ends later is accounted for as it was last seen
            self.memory_bytes = max(self.memory_bytes, self.server.memory_bytes())
            connections = self.server.connections()
            if sum(connections) >= sum(self.connections):  # on a busy machine the last look may come too late
                self.connections = connections
