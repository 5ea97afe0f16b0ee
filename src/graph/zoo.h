// Zoo: the networks of the papers as graphs, for the trainer's export and for tests. `fye-train` writes a net
// as write_file(path, *export_onnx(abpn(3, weights))) with its trained weights; tests take random_weights().
//
// The graphs are as a framework would export them (not fused), with metadata fye.scale, fye.range, fye.colour
// and fye.pre. Input "input" [1, channels, -1, -1], output "output". Sizes and MACs: the papers; counts of
// units are tested.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "graph/graph.h"

namespace fye {

// Delivers the values of one constant: "<layer>.weight" with shape [out, in / group, kh, kw] (Gemm: [out,
// in]), "<layer>.bias" [out],
// "<layer>.slope" [channels]; dense, in ONNX order. Each name is asked for once.
using WeightSource = std::function<std::vector<float>(const std::string& name, const Shape& shape)>;

// He normal kernels (for 0..255 in, of that size out), biases of +-4, slopes 0..0.5; the same for the same
// seed, on any machine.
WeightSource random_weights(uint64_t seed);

// ABPN (Du et al., 2021), scale 2 to 4, RGB 0..255: conv1 .. conv7 (28 features), anchor of scale^2 input
// copies, depth to space DCR, clip 0..255. 7 units.
Graph abpn(int scale, const WeightSource& weights);

// EDSR-baseline x2 (Lim et al., 2017), RGB 0..255: head, block0.conv1 .. block15.conv2, body, up, tail (64
// features), mean colour subtracted first and added last, pixel shuffle CRD. 36 units.
Graph edsr_baseline_x2(const WeightSource& weights);

// SRCNN 9-1-5 (Dong et al., 2014) or, with a middle kernel of 5, 9-5-5 (2016), luma 0..1, works on the
// bicubic enlargement (fye.pre): conv1 .. conv3. 3 units.
Graph srcnn(int scale, const WeightSource& weights, int middle = 1);

// The compact upscaler of Real-ESRGAN (SRVGG), RGB 0..1: conv0 .. conv<convs + 1> with prelu, pixel shuffle
// CRD, nearest-neighbour skip. convs + 2 units (16: 18).
Graph srvgg(int scale, int features, int convs, const WeightSource& weights);

// A small classifier, RGB 0..1, size x size pixels (a multiple of 4): strided and depthwise convolutions with
// batch normalisation, max pooling, global average, Gemm, softmax over 10 classes. 4 units.
Graph small_classifier(int size, const WeightSource& weights);

}  // namespace fye
