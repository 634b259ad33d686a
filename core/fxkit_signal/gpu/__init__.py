"""Kernels for CUDA devices, in Triton; loaded by the operations that they serve."""
