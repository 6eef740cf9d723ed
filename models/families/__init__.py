"""Families of models behind one interface: `base` states it, `catalogue` lists them.

`tree_ensemble`, `linear_model` and `graph` are how they become ONNX.
"""
