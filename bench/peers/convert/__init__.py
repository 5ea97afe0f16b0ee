"""ONNX networks to the files of engines whose wheels carry no converter."""
