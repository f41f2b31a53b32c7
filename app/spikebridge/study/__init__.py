"""The paper's study remade: networks of the family times intervals, trained alike, measured alike, set side by side.

``cells`` trains and measures one network; ``grid`` all of them, in parallel and resumable; ``published`` holds the
values to compare with; ``tables`` and ``report`` show the results.
"""
