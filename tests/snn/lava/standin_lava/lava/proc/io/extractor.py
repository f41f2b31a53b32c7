from lava.lib.dl.netx.hdf5 import Port


class Extractor:
    def __init__(self, shape):
        self.in_port = Port(shape)
        self.in_port.owner = self
        self.queue = []

    def receive(self):
        return self.queue.pop(0)
