"""Numerics of sound as plain functions on tensors: filters, framing, oscillators, pitch, alignment.

Every function takes and returns explicit state where it has memory, so that a signal may be split
into blocks of any sizes. Import the module that is needed, e.g. `from fxkit_signal.biquad import
sosfilt`; this package itself loads nothing.
"""
