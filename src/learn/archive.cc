#include "learn/archive.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/file.h"

namespace fye {

void put_tensors(torch::serialize::OutputArchive& archive, const std::string& key,
                 const std::vector<torch::Tensor>& tensors) {
  archive.write(key + ".count", torch::tensor(int64_t(tensors.size())));
  for (size_t i = 0; i < tensors.size(); ++i)
    archive.write(fmt::format("{}.{}", key, i), tensors[i].detach());
}

torch::Tensor get_tensor(torch::serialize::InputArchive& archive, const std::string& key) {
  torch::Tensor t;
  archive.read(key, t);
  return t;
}

std::vector<torch::Tensor> get_tensors(torch::serialize::InputArchive& archive, const std::string& key) {
  const auto count = get_tensor(archive, key + ".count").item<int64_t>();
  std::vector<torch::Tensor> tensors;
  for (int64_t i = 0; i < count; ++i) tensors.push_back(get_tensor(archive, fmt::format("{}.{}", key, i)));
  return tensors;
}

torch::Tensor tensor_from_text(const std::string& text) {
  auto bytes = torch::empty({int64_t(text.size())}, torch::kUInt8);
  std::copy(text.begin(), text.end(), bytes.data_ptr<uint8_t>());
  return bytes;
}

std::string text_from_tensor(const torch::Tensor& tensor) {
  const auto bytes = tensor.to(torch::kUInt8).contiguous();
  return {bytes.data_ptr<uint8_t>(), bytes.data_ptr<uint8_t>() + bytes.numel()};
}

Status save_archive(const std::filesystem::path& path,
                    const std::function<void(torch::serialize::OutputArchive&)>& fill) {
  auto file = PendingFile::create(path);
  if (!file) return file.error();
  try {
    torch::serialize::OutputArchive archive;
    fill(archive);
    archive.save_to(file->path().string());
  } catch (const std::exception& e) {
    return resource_error(path.string() + ": " + e.what());
  }
  return file->commit();
}

Status load_archive(const std::filesystem::path& path, const std::string& hint,
                    const std::function<Status(torch::serialize::InputArchive&)>& take) {
  try {
    torch::serialize::InputArchive archive;
    archive.load_from(path.string());
    return take(archive);
  } catch (const std::exception& e) {
    const std::string why = e.what();
    return bad_input(path.string() + ": not a checkpoint: " + why.substr(0, why.find('\n')), hint);
  }
}

}  // namespace fye
