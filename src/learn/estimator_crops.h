// The estimator's data on disk: grey crops with their exact PIQE, made once and read by every training.
//
// One file, little-endian: a header of 64 bytes - "fyecrops", then u32 version 1, side, crops of a block,
// blocks, then the first 40 hex digits of a digest - and per crop 16 bytes - f32 score, u32 place, u16 plan,
// u8 net, u8 kind, u8 held-out picture, u8 held-out plan, 2 zeros - and side * side grey values. A block is
// what one picture gives; blocks are appended one by one, so that making them can be interrupted.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"

namespace fye {

// mixed: the output of a random plan. noise, blur, jpeg: of an original, an enlargement or a float output.
enum class CropKind : uint8_t { original, bicubic, f32, int8, mixed, noise, blur, jpeg };
inline constexpr const char* kCropKinds[] = {"original", "bicubic", "f32",  "int8",
                                             "mixed",    "noise",   "blur", "jpeg"};
inline constexpr uint8_t kNoNet = 255;
inline constexpr uint16_t kNoPlan = 65535;

struct CropInfo {
  float score = 0;          // exact PIQE of the crop
  uint32_t place = 0;       // crops of one place show the same part of the same picture
  uint16_t plan = kNoPlan;  // of `net`; kNoPlan unless kind is mixed
  uint8_t net = kNoNet;
  CropKind kind = CropKind::original;
  bool held_picture = false, held_plan = false;  // never trained on
};

struct CropHeader {
  int side = 0;
  int block_crops = 0, blocks = 0;
  std::string digest;  // of everything that the crops follow from; 40 characters
};

// Begins the file, or finds it begun with the same header and cuts off a block that was not finished. Returns
// the number of blocks there. Errors: (usage) a file with another header; (resources) can't be written.
Result<int> begin_crops(const std::filesystem::path& path, const CropHeader& header);

// Adds one block: `pixels` are its crops' grey values one after the other.
Status append_block(const std::filesystem::path& path, std::span<const CropInfo> crops,
                    std::span<const uint8_t> pixels);

struct CropSet {
  int side = 0;
  std::vector<CropInfo> crops;
  torch::Tensor pixels;  // [crops, 1, side, side] u8, mapped from the file
};

// Errors (bad_input): no such file, another kind of file, not all blocks there.
Result<CropSet> load_crops(const std::filesystem::path& path);

}  // namespace fye
