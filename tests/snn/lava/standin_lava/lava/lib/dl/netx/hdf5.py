import os
import signal
import time

import h5py
import numpy as np


class Port:
    def __init__(self, shape):
        self.shape = shape
        self.source = None

    def connect(self, target):
        target.source = self
        self.extractor = getattr(target, "owner", None)


class Variable:
    def __init__(self, shape):
        self.shape = shape
        self._value = np.zeros(shape, np.int32)

    def get(self):
        return self._value.copy()

    def set(self, value):
        self._value[:] = value


class Neuron:
    def __init__(self, shape):
        self.s_out = Port(shape)
        self.u = Variable(shape)
        self.v = Variable(shape)


class Layer:
    def __init__(self, shape):
        self.neuron = Neuron(shape)
        self.arriving = 0


class Network:
    def __init__(self, net_config, input_message_bits=0, input_shape=None):
        with h5py.File(net_config) as file:
            groups = [file["layer"][str(i)] for i in range(len(file["layer"]))]
            kinds = [group["type"][0].decode() for group in groups]
            shapes = [tuple(int(n) for n in group["shape"][()][::-1]) for group in groups]
        shapes = [shape for kind, shape in zip(kinds, shapes, strict=True) if kind != "flatten"]
        self.input_message_bits = input_message_bits
        self.layers = [Layer(shape) for shape in shapes[1:]]
        self.inp, self.out = Port(shapes[0]), Port(shapes[-1])

    def create_runtime(self, run_cfg):
        if os.environ.get("STANDIN_LAVA") == "slow":
            time.sleep(60)
        self._profilers = run_cfg.callback_fxs
        # Lava forks a process for each of its parts, and they do not notice when their parent dies.
        for _ in range(2):
            if os.fork() == 0:
                while True:
                    time.sleep(60)

    def run(self, condition):
        assert condition.num_steps == 1
        if os.environ.get("STANDIN_LAVA") == "hang":
            time.sleep(3600)
        if os.environ.get("STANDIN_LAVA") == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        for profiler in self._profilers:
            profiler.pre_run_callback(board=None)
        adapter = getattr(self.inp.source, "adapter", None)
        injector = adapter.inp.source.owner if adapter else self.inp.source.owner
        arriving = int(np.any(injector.queue.pop(0)))
        for layer in self.layers:
            neuron, received, layer.arriving = layer.neuron, layer.arriving, arriving
            neuron.u.set(neuron.u.get() + received)
            arriving = received
        self.out_spikes = np.full(self.out.shape, arriving)
        self.sink(self.out_spikes)
        for profiler in self._profilers:
            profiler.post_run_callback(board=None)

    def sink(self, spikes):
        self.out.extractor.queue.append(spikes)

    def stop(self):
        pass
