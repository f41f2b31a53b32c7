import os

from lava.lib.dl.netx.hdf5 import Port

if os.environ.get("STANDIN_LAVA") == "no-adapters":
    raise ImportError("no adapters")


class PyToNxAdapter:
    def __init__(self, shape, num_message_bits=0):
        assert num_message_bits == 8
        self.inp, self.out = Port(shape), Port(shape)
        self.out.adapter = self


class _Out(Port):
    def connect(self, target):
        super().connect(target)
        self.inp.source.extractor = target.owner


class NxToPyAdapter:
    def __init__(self, shape):
        self.inp, self.out = Port(shape), _Out(shape)
        self.out.inp = self.inp
