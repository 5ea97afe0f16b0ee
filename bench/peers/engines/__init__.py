"""The peers, in the order of the table."""

from engines.litert_cpu import LiteRt
from engines.mnn_cpu import Mnn
from engines.ncnn_cpu import Ncnn
from engines.onnx_runtime import OnnxRuntime
from engines.openvino_cpu import OpenVino

ENGINES = {engine.name: engine for engine in (OnnxRuntime, OpenVino, Ncnn, Mnn, LiteRt)}
