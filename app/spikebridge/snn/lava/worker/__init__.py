"""What runs in the Python that has Lava. Nothing here imports the rest of the program: it may be another Python."""
