"""Looks at a server in the middle of a load: memory, who holds which connections, and whether it stays where it was put."""

from background import Background


class Sampler(Background):
    """`with Sampler(server, seconds, client) as sampler:` around a load of so many seconds. client: an asking.Client whose connection is
    none of the load's.
    """

    WHEN = (0.3, 0.6, 0.9)  # of the load

    def __init__(self, server, seconds, client):
        super().__init__()
        self.server, self.seconds, self.client = server, seconds, client
        self.memory_bytes, self.connections, self.complaints = 0, [], []

    def run(self):
        last = 0.0
        for when in self.WHEN:
            if self.over.wait((when - last) * self.seconds):
                return
            last = when
            self.server.usage()  # what ends later is accounted for as it was last seen
            self.memory_bytes = max(self.memory_bytes, self.server.memory_bytes())
            connections = self.server.connections((self.client.own_port,))
            if sum(connections) >= sum(self.connections):  # on a busy machine the last look may come too late
                self.connections = connections
            self.complaints += self.server.astray()
