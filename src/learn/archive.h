// What checkpoints are made of: torch archives with lists of tensors and texts in them, complete or not at
// all.
#pragma once

#include <torch/torch.h>

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"

namespace fye {

// Parts of an archive; these throw what torch throws, so they belong inside the two functions below.
void put_tensors(torch::serialize::OutputArchive& archive, const std::string& key,
                 const std::vector<torch::Tensor>& tensors);
torch::Tensor get_tensor(torch::serialize::InputArchive& archive, const std::string& key);
std::vector<torch::Tensor> get_tensors(torch::serialize::InputArchive& archive, const std::string& key);

// Text as a tensor of bytes, the only kind of value that both archive classes keep.
torch::Tensor tensor_from_text(const std::string& text);
std::string text_from_tensor(const torch::Tensor& tensor);

// Writes what `fill` puts in. Errors: (resources) the folder can't be written, or as PendingFile.
Status save_archive(const std::filesystem::path& path,
                    const std::function<void(torch::serialize::OutputArchive&)>& fill);

// Reads with `take`, whose own error is passed on. Errors: (bad_input, with `hint`) no such file, no archive,
// an entry missing or of another kind.
Status load_archive(const std::filesystem::path& path, const std::string& hint,
                    const std::function<Status(torch::serialize::InputArchive&)>& take);

}  // namespace fye
