from lava.lib.dl.netx.hdf5 import Port


class Injector:
    def __init__(self, shape):
        self.out_port = Port(shape)
        self.out_port.owner = self
        self.queue = []

    def send(self, data):
        assert data.shape == self.out_port.shape
        self.queue.append(data)
