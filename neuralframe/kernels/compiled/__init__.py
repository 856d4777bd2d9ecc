"""What numba compiles for the processor: the only home of numba on the CPU, imported when it is asked for."""
