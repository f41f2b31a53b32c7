import enum
import os


class ChipGeneration(enum.Enum):
    N3B3 = "N3B3"
    N3C1 = "N3C1"


def is_installed():
    return os.environ.get("STANDIN_LAVA") != "no-package"


def use_slurm_host(partition=None, board=None, loihi_gen=ChipGeneration.N3B3):
    if os.environ.get("STANDIN_LAVA") == "no-board":
        raise ValueError("Attempting to use SLURM for Loihi but SLURM controller is not available.")


def use_ethernet_host(host_address, loihi_gen=ChipGeneration.N3B3):
    if host_address != "10.0.0.7":
        raise ValueError(f"`ping {host_address}` failed.")
