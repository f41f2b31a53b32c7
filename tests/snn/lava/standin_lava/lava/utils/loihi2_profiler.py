import os

import numpy as np

if os.environ.get("STANDIN_LAVA") == "no-profilers":
    raise ImportError("no profilers")


class Loihi2Power:
    def __init__(self, num_steps):
        self.total_power = np.zeros(0)

    def pre_run_callback(self, board):
        pass

    def post_run_callback(self, board):
        self.vdd_power = np.array([0.10, 0.14])
        self.vddm_power = np.array([0.05, 0.07])
        self.vddio_power = np.array([0.02, 0.02])
        self.total_power = self.vdd_power + self.vddm_power + self.vddio_power
        self.static_total_power = 0.15


class Loihi2ExecutionTime:
    def pre_run_callback(self, board):
        pass

    def post_run_callback(self, board):
        self.avg_time_per_step = 153.0
