#include "learn/estimator_crops.h"

#include <fmt/format.h>

#include <array>
#include <bit>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <memory>

namespace fye {
namespace {

namespace fs = std::filesystem;

static_assert(std::endian::native == std::endian::little,
              "the file's numbers are copied as they lie in memory");

constexpr char kMagic[] = "fyecrops";
constexpr uint32_t kVersion = 1;
constexpr size_t kHeaderBytes = 64, kInfoBytes = 16, kDigest = 40;
constexpr int kMostSide = 4096, kMostCrops = 1 << 24;

using HeaderBytes = std::array<char, kHeaderBytes>;

HeaderBytes bytes_of(const CropHeader& header) {
  HeaderBytes bytes{};
  const uint32_t numbers[] = {kVersion, uint32_t(header.side), uint32_t(header.block_crops),
                              uint32_t(header.blocks)};
  std::memcpy(bytes.data(), kMagic, 8);
  std::memcpy(bytes.data() + 8, numbers, sizeof numbers);
  std::memcpy(bytes.data() + 24, header.digest.data(), std::min(header.digest.size(), kDigest));
  return bytes;
}

Result<CropHeader> header_from(const fs::path& path, const HeaderBytes& bytes) {
  uint32_t numbers[4];
  std::memcpy(numbers, bytes.data() + 8, sizeof numbers);
  const auto in = [](uint32_t value, int most) { return value >= 1 && value <= uint32_t(most); };
  if (std::memcmp(bytes.data(), kMagic, 8) != 0 || numbers[0] != kVersion || !in(numbers[1], kMostSide) ||
      !in(numbers[2], kMostCrops) || !in(numbers[3], kMostCrops))
    return bad_input(path.string() + ": not a file of crops", "give a file that fye-train estimator made");
  return CropHeader{int(numbers[1]), int(numbers[2]), int(numbers[3]),
                    std::string(bytes.data() + 24, kDigest)};
}

size_t crop_bytes(int side) { return kInfoBytes + size_t(side) * side; }

uint64_t block_bytes(const CropHeader& header) {
  return uint64_t(header.block_crops) * crop_bytes(header.side);
}

CropInfo info_from(const uint8_t* bytes) {
  CropInfo info;
  std::memcpy(&info.score, bytes, 4);
  std::memcpy(&info.place, bytes + 4, 4);
  std::memcpy(&info.plan, bytes + 8, 2);
  info.net = bytes[10];
  info.kind = CropKind(bytes[11]);
  info.held_picture = bytes[12] != 0, info.held_plan = bytes[13] != 0;
  return info;
}

void put(const CropInfo& info, char* bytes) {
  std::memcpy(bytes, &info.score, 4);
  std::memcpy(bytes + 4, &info.place, 4);
  std::memcpy(bytes + 8, &info.plan, 2);
  const char rest[] = {char(info.net), char(info.kind), char(info.held_picture), char(info.held_plan), 0, 0};
  std::memcpy(bytes + 10, rest, sizeof rest);
}

bool read_header(const fs::path& path, HeaderBytes& bytes) {
  std::ifstream file(path, std::ios::binary);
  return bool(file.read(bytes.data(), kHeaderBytes));
}

Status append(const fs::path& path, const char* mode, std::string_view bytes) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), mode), &std::fclose);
  if (!file || std::fwrite(bytes.data(), 1, bytes.size(), file.get()) != bytes.size() ||
      std::fflush(file.get()) != 0)
    return resource_error(path.string() + ": can't be written: " + std::strerror(errno));
  return {};
}

}  // namespace

Result<int> begin_crops(const fs::path& path, const CropHeader& header) {
  const HeaderBytes wanted = bytes_of(header);
  std::error_code failed;
  const auto size = fs::file_size(path, failed);
  if (failed || size < kHeaderBytes) {
    if (auto begun = append(path, "wb", {wanted.data(), wanted.size()}); !begun) return begun.error();
    return 0;
  }
  HeaderBytes found;
  if (!read_header(path, found) || found != wanted)
    return usage_error(path.string() + ": holds crops of other pictures, networks or options",
                       "give the options that it was made with, or another --crops, or delete it");
  const uint64_t blocks =
      std::min<uint64_t>((size - kHeaderBytes) / block_bytes(header), uint64_t(header.blocks));
  fs::resize_file(path, kHeaderBytes + blocks * block_bytes(header), failed);
  if (failed) return resource_error(path.string() + ": " + failed.message());
  return int(blocks);
}

Status append_block(const fs::path& path, std::span<const CropInfo> crops, std::span<const uint8_t> pixels) {
  if (crops.empty() || pixels.size() % crops.size())
    return internal_error("a block of crops without equal pixels");
  const size_t each = pixels.size() / crops.size();
  std::string bytes(crops.size() * (kInfoBytes + each), '\0');
  for (size_t i = 0; i < crops.size(); ++i) {
    char* at = bytes.data() + i * (kInfoBytes + each);
    put(crops[i], at);
    std::memcpy(at + kInfoBytes, pixels.data() + i * each, each);
  }
  return append(path, "ab", bytes);
}

Result<CropSet> load_crops(const fs::path& path) {
  HeaderBytes bytes;
  if (!read_header(path, bytes))
    return bad_input(path.string() + ": can't be read or is too short",
                     "give a file that fye-train estimator made");
  const auto header = header_from(path, bytes);
  if (!header) return header.error();
  std::error_code failed;
  const uint64_t size = fs::file_size(path, failed),
                 expected = kHeaderBytes + block_bytes(*header) * header->blocks;
  if (failed || size != expected)
    return bad_input(fmt::format("{}: {} of {} bytes", path.string(), size, expected),
                     "run fye-train estimator with the same options again to finish it");
  CropSet set{header->side, {}, {}};
  const int64_t count = int64_t(header->block_crops) * header->blocks, each = int64_t(crop_bytes(set.side));
  try {
    const auto whole = torch::from_file(path.string(), false, int64_t(size), torch::kUInt8);
    const auto rows = whole.slice(0, int64_t(kHeaderBytes)).view({count, each});
    for (int64_t i = 0; i < count; ++i) {
      set.crops.push_back(info_from(rows.data_ptr<uint8_t>() + i * each));
      if (uint8_t(set.crops.back().kind) >= std::size(kCropKinds) || !std::isfinite(set.crops.back().score))
        return bad_input(fmt::format("{}: crop {} is damaged", path.string(), i),
                         "delete the file and make it again");
    }
    set.pixels = rows.slice(1, int64_t(kInfoBytes)).view({count, 1, set.side, set.side});
  } catch (const std::exception& e) {
    return resource_error(path.string() + ": " + e.what());
  }
  return set;
}

}  // namespace fye
