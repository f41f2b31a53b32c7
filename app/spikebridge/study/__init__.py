"""The paper's study made again: networks of the family times intervals, trained and measured alike, side by side.

``cells`` says what there is to train, ``cell_run`` trains and measures one network, ``study_run`` all of them, in
parallel and resumable; ``published`` holds the values to compare with; ``results`` keeps what was found; ``tables``,
``paper_figures`` and ``report`` show it, without torch.
"""
