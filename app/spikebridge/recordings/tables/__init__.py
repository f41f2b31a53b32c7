"""Tables of events without a format of their own: text (CSV), NumPy arrays, and the 5-byte events of data sets."""
