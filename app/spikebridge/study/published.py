"""Published values to set beside our own; each with its source."""

from __future__ import annotations

#: Seekings et al., ICONS 2024 (arXiv 2407.08704) and the authors' follow-up: accuracy per 160 ms window on DVS128
#: Gesture, by (network, I), as far as their texts state numbers; the others are bars in their figures only.
ACCURACY: dict[tuple[str, int], float] = {
    ("ann", 8): 0.8836,
    ("s1a5", 8): 0.8841,
    ("s2a4", 2): 0.8657,
    ("s3a3", 2): 0.8649,
    ("s4a2", 2): 0.8642,
    ("s3a3", 4): 0.8742,
}
ACCURACY_SOURCE = (
    "Seekings et al., ICONS 2024 (arXiv 2407.08704) and the authors' follow-up work: DVS128 Gesture, 47 113 training "
    "and 12 010 test windows of 160 ms"
)

#: Other systems on DVS128 Gesture: (system, accuracy, latency, power or energy), as their authors state them.
SYSTEMS: tuple[tuple[str, str, str, str], ...] = (
    ("IBM TrueNorth live demo (CVPR 2017)", "96.5 %", "gesture onset recognised in 105 ms", "< 200 mW"),
    ("Kraken/CUTIE ternary TCN", "97.7 %", "0.9 ms/inference", "7 µJ, 4.7 mW"),
    ("TENNs-PLEIADES, 192 k parameters", "99.59 %", "a decision every 10 ms, first useful ≈ 100 ms", "–"),
    ("SynSense Speck", "90.0 %", "< 0.1 ms", "3.8 mW"),
    ("SpiNNaker2", "94.13 %", "–", "0.459 J/gesture"),
    ("Loihi 1, converted DNN, 37 cores", "89.64 %", "–", "–"),
)
