"""RAW (EVT2, EVT2.1, EVT3) and DAT: the formats of Prophesee's cameras."""
