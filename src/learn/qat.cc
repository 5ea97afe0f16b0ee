#include "learn/qat.h"

#include <cmath>

#include "base/json.h"
#include "quant/ranges.h"

namespace fye {
namespace {

constexpr int kWeightMax = 127, kActivationMax = 255;

// round(x) with the gradient of x.
torch::Tensor round_through(const torch::Tensor& x) { return x + (x.round() - x).detach(); }

// x in pixels / kUnit onto a grid in pixels. The clamp's gradient is 1 inside and 0 outside.
torch::Tensor onto_grid(const torch::Tensor& x, const Quant& quant) {
  const double scale = double(quant.scale) / kUnit;
  return round_through(x / scale).clamp(-quant.zero, kActivationMax - quant.zero) * scale;
}

}  // namespace

torch::Tensor quantised_kernel(const torch::Tensor& kernel) {
  const auto scale = kernel.detach().abs().amax({1, 2, 3}, true).div_(kWeightMax).clamp_min_(1e-20);
  return round_through(kernel / scale) * scale;
}

Status quantisable(const NetSpec& spec) {
  if (!spec.luma) return {};
  return usage_error(spec.net + " can't be trained for int8: it works on luma",
                     "calibrate what fye-train export writes: fye calibrate model.onnx PICTURES");
}

Result<Grids> observe_grids(const NetSpec& spec, const Weights& weights,
                            const std::vector<PicturePair>& pictures) {
  if (auto can = quantisable(spec); !can) return can.error();
  if (pictures.empty()) return bad_input("no pictures to observe ranges on");
  const torch::InferenceMode no_gradients;
  std::map<std::string, RangeObserver> observers;
  auto arithmetic = float_arithmetic(spec, weights);
  arithmetic.store = [&](const std::string& name, const torch::Tensor& x) {
    const auto pixels = x.mul(kUnit).contiguous();
    observers[name].add({pixels.data_ptr<float>(), size_t(pixels.numel())});
    return x;
  };
  for (const auto& pair : pictures)
    forward(spec, arithmetic, tensor_of(pair.low).to(torch::kFloat32).div_(kUnit));
  Grids grids;
  for (const auto& [name, observer] : observers) {
    if (observer.saw_nan())
      return bad_input(spec.net + ": tensor " + name + " holds values that are not finite");
    const bool picture = name == "input" || name == output_name(spec);
    grids[name] = picture ? Quant{1, 0} : quant_for_least_error(observer);
  }
  return grids;
}

Arithmetic quantised_arithmetic(const NetSpec& spec, const Weights& weights, const Grids& grids) {
  Arithmetic a;
  a.convolve = [&spec, &weights](size_t i, const torch::Tensor& x) {
    const auto kernel = quantised_kernel(weights.kernels[i]).contiguous(torch::MemoryFormat::ChannelsLast);
    const auto y = torch::conv2d(x, kernel, weights.biases[i], 1, spec.layers[i].kernel / 2);
    return spec.layers[i].relu ? y.relu() : y;
  };
  a.store = [&grids](const std::string& name, const torch::Tensor& x) {
    return onto_grid(x, grids.at(name));
  };
  return a;
}

Arithmetic arithmetic_for(const NetSpec& spec, const Weights& weights, const Grids& grids) {
  return grids.empty() ? float_arithmetic(spec, weights) : quantised_arithmetic(spec, weights, grids);
}

Status dump_grids(const NetSpec& spec, const Grids& grids, const std::filesystem::path& path) {
  Json tensors = Json::object();
  for (const auto& [name, quant] : grids) tensors[name] = {{"scale", quant.scale}, {"zero", quant.zero}};
  return write_json(path, {{"net", spec.net}, {"scale", spec.scale}, {"tensors", tensors}});
}

}  // namespace fye
