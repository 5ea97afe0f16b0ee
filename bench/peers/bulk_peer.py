"""One engine over a folder of pictures or a film, as the loops in these packages' own examples go: bulk_peer.py JOB.json

The job: engine (ncnn, onnxruntime, openvino), model (its file, x4, RGB of 0..1), threads, input, output. Pictures: Pillow reads them as
8-bit RGB and writes PNG. Film: ffmpeg gives 8-bit RGB frames and takes the larger ones, the picture alone. Peak memory is that of this process.
"""

import json
import pathlib
import subprocess
import sys

import numpy as np
from PIL import Image

SCALE = 4


def ncnn_net(job):
    import ncnn

    net = ncnn.Net()
    net.opt.num_threads, net.opt.use_vulkan_compute = job["threads"], False
    net.load_param(job["model"])
    net.load_model(str(pathlib.Path(job["model"]).with_suffix(".bin")))

    def run(rows):
        extractor = net.create_extractor()
        extractor.input("data", ncnn.Mat(np.ascontiguousarray(rows.transpose(2, 0, 1), np.float32) / 255).clone())
        return np.array(extractor.extract("output")[1]).transpose(1, 2, 0)

    return run


def onnxruntime_net(job):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = job["threads"]
    session = onnxruntime.InferenceSession(job["model"], options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda rows: session.run(None, {name: rows.transpose(2, 0, 1)[None].astype(np.float32) / 255})[0][0].transpose(1, 2, 0)


def openvino_net(job):
    import openvino

    # Without the hint a float network runs in bf16 where the machine has it: fye's row is f32 too.
    config = {"INFERENCE_NUM_THREADS": job["threads"], "PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}
    network = openvino.Core().compile_model(job["model"], "CPU", config)
    return lambda rows: network([rows.transpose(2, 0, 1)[None].astype(np.float32) / 255])[0][0].transpose(1, 2, 0)


NETS = {"ncnn": ncnn_net, "onnxruntime": onnxruntime_net, "openvino": openvino_net}


def bytes_of(values):
    return np.clip(np.rint(values * 255), 0, 255).astype(np.uint8)


def pictures(job, run):
    output = pathlib.Path(job["output"])
    output.mkdir()
    for file in sorted(pathlib.Path(job["input"]).iterdir()):
        rows = np.asarray(Image.open(file).convert("RGB"))
        Image.fromarray(bytes_of(run(rows))).save(output / f"{file.name}.png")


def film(job, run):
    width, height = job["width"], job["height"]
    source = subprocess.Popen(["ffmpeg", "-v", "error", "-i", job["input"], "-f", "rawvideo", "-pix_fmt", "rgb24", "-"],
                              stdout=subprocess.PIPE)
    sink = subprocess.Popen(["ffmpeg", "-v", "error", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s",
                             f"{width * SCALE}x{height * SCALE}", "-r", job["rate"], "-i", "-", "-pix_fmt", "yuv420p",
                             "-c:v", "libx264", "-preset", job["preset"], job["output"]], stdin=subprocess.PIPE)
    while len(frame := source.stdout.read(width * height * 3)) == width * height * 3:
        rows = np.frombuffer(frame, np.uint8).reshape(height, width, 3)
        sink.stdin.write(bytes_of(run(rows)).tobytes())
    sink.stdin.close()
    if source.wait() or sink.wait():
        sys.exit("ffmpeg failed")


def main():
    with open(sys.argv[1]) as file:
        job = json.load(file)
    run = NETS[job["engine"]](job)
    (film if "width" in job else pictures)(job, run)


if __name__ == "__main__":
    main()
