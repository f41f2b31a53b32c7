"""Events in arrays: HDF5 of any layout (Prophesee's with ECF, DSEC's, M3ED's …) and MATLAB's files."""
