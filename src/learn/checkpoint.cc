#include "learn/checkpoint.h"

#include <fmt/format.h>

#include <cstdlib>
#include <sstream>

#include "base/file.h"
#include "base/json.h"
#include "learn/archive.h"

namespace fye {
namespace {

namespace fs = std::filesystem;
constexpr int64_t kFormat = 1;

// One line a tensor: name, scale (exact, in hexadecimal), zero point.
std::string grids_to_text(const Grids& grids) {
  std::string text;
  for (const auto& [name, quant] : grids) text += fmt::format("{} {:a} {}\n", name, quant.scale, quant.zero);
  return text;
}

Grids grids_from_text(const std::string& text) {
  Grids grids;
  std::istringstream lines(text);
  std::string name, scale;
  for (int zero; lines >> name >> scale >> zero;) grids[name] = {std::strtof(scale.c_str(), nullptr), zero};
  return grids;
}

std::string check_shapes(const NetSpec& spec, const Weights& weights) {
  if (weights.kernels.size() != spec.layers.size() || weights.biases.size() != spec.layers.size())
    return fmt::format("{} kernels for {} layers", weights.kernels.size(), spec.layers.size());
  for (size_t i = 0; i < spec.layers.size(); ++i) {
    const auto& layer = spec.layers[i];
    const auto &k = weights.kernels[i], &b = weights.biases[i];
    if (k.sizes() != torch::IntArrayRef({layer.out, layer.in, layer.kernel, layer.kernel}) ||
        b.sizes() != torch::IntArrayRef({layer.out}))
      return layer.name + " has another shape";
    if (k.scalar_type() != torch::kFloat32 || b.scalar_type() != torch::kFloat32)
      return layer.name + " is not float32";
    if (!k.isfinite().all().item<bool>() || !b.isfinite().all().item<bool>())
      return layer.name + " is not finite";
  }
  return {};
}

}  // namespace

Status save_checkpoint(const Checkpoint& checkpoint, const fs::path& path) {
  return save_archive(path, [&checkpoint](torch::serialize::OutputArchive& archive) {
    archive.write("fye.format", torch::tensor(kFormat));
    archive.write("net", tensor_from_text(checkpoint.spec.net));
    archive.write("scale", torch::tensor(int64_t(checkpoint.spec.scale)));
    archive.write("step", torch::tensor(checkpoint.step));
    archive.write("seconds", torch::tensor(checkpoint.seconds, torch::kFloat64));
    archive.write("random", torch::tensor(int64_t(checkpoint.random)));
    put_tensors(archive, "kernel", checkpoint.weights.kernels);
    put_tensors(archive, "bias", checkpoint.weights.biases);
    put_tensors(archive, "average.kernel", checkpoint.average.kernels);
    put_tensors(archive, "average.bias", checkpoint.average.biases);
    put_tensors(archive, "optimiser", checkpoint.optimiser);
    archive.write("grids", tensor_from_text(grids_to_text(checkpoint.grids)));
  });
}

Result<Checkpoint> load_checkpoint(const fs::path& path) {
  const std::string hint = "give a checkpoint.pt that fye-train wrote";
  Checkpoint c;
  const auto take = [&](torch::serialize::InputArchive& archive) -> Status {
    if (get_tensor(archive, "fye.format").item<int64_t>() != kFormat)
      return bad_input(path.string() + ": a checkpoint of another version", hint);
    auto spec = net_spec(text_from_tensor(get_tensor(archive, "net")),
                         int(get_tensor(archive, "scale").item<int64_t>()));
    if (!spec) return bad_input(path.string() + ": " + spec.error().what, hint);
    c.spec = *spec;
    c.step = get_tensor(archive, "step").item<int64_t>();
    c.seconds = get_tensor(archive, "seconds").item<double>();
    c.random = uint64_t(get_tensor(archive, "random").item<int64_t>());
    c.weights = {get_tensors(archive, "kernel"), get_tensors(archive, "bias")};
    c.average = {get_tensors(archive, "average.kernel"), get_tensors(archive, "average.bias")};
    c.optimiser = get_tensors(archive, "optimiser");
    // Runs of the first day have no such entry.
    if (torch::Tensor text; archive.try_read("grids", text))
      c.grids = grids_from_text(text_from_tensor(text));
    return {};
  };
  if (auto loaded = load_archive(path, hint, take); !loaded) return loaded.error();
  for (const auto* weights : {&c.weights, &c.average})
    if (const auto wrong = check_shapes(c.spec, *weights); !wrong.empty())
      return bad_input(path.string() + ": " + wrong, hint);
  return c;
}

Status dump_weights(const NetSpec& spec, const Weights& weights, const fs::path& folder) {
  std::string bytes;
  const auto append = [&bytes](const torch::Tensor& t) {
    const auto flat = t.detach().to(torch::kFloat32).contiguous();
    const size_t at = bytes.size();
    bytes.append(static_cast<const char*>(flat.data_ptr()), size_t(flat.numel()) * sizeof(float));
    return at;
  };
  Json layers = Json::array();
  for (size_t i = 0; i < spec.layers.size(); ++i) {
    const auto& layer = spec.layers[i];
    const size_t kernel = append(weights.kernels[i]), bias = append(weights.biases[i] * kUnit);
    layers.push_back({{"name", layer.name},
                      {"out", layer.out},
                      {"in", layer.in},
                      {"kernel", layer.kernel},
                      {"relu", layer.relu},
                      {"kernel_offset", kernel},
                      {"bias_offset", bias}});
  }
  if (auto written = write_file(folder / "weights.bin", bytes); !written) return written;
  return write_json(folder / "weights.json",
                    {{"net", spec.net}, {"scale", spec.scale}, {"range", "0..255"}, {"layers", layers}});
}

}  // namespace fye
