"""Kernels for CUDA devices: plain Python functions that numba-cuda compiles where a device is."""
