// The block is a TIFF file without pixels: byte order, offset of IFD0; an IFD is a count, entries of 12 bytes
// (tag, type, count, value) and the offset of the next IFD (EXIF 2.3, section 4.5.2). Tested by exif_test.cc.
#include "image/exif.h"

#include <cstdint>
#include <optional>
#include <string_view>

namespace fye {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kPrefix = "Exif\0\0"sv;
constexpr uint32_t kShort = 3, kLong = 4;
constexpr uint32_t kImageWidth = 0x0100, kImageLength = 0x0101, kOrientation = 0x0112, kExifIfd = 0x8769,
                   kPixelX = 0xA002, kPixelY = 0xA003;

class Block {
 public:
  explicit Block(std::string& exif) : bytes_(exif), start_(exif.starts_with(kPrefix) ? kPrefix.size() : 0) {
    const std::string_view tiff = std::string_view(exif).substr(start_);
    valid_ = tiff.starts_with("II*\0"sv) || tiff.starts_with("MM\0*"sv);
    little_ = tiff.starts_with("II"sv);
  }

  bool valid() const { return valid_; }
  // `size` is 2 or 4 bytes at `at` from the block's start.
  std::optional<uint32_t> get(uint64_t at, int size) const {
    if (start_ + at + size > bytes_.size()) return {};
    uint32_t value = 0;
    for (int i = 0; i < size; ++i) value |= uint32_t(byte(at + i)) << 8 * (little_ ? i : size - 1 - i);
    return value;
  }
  void put(uint64_t at, int size, uint32_t value) {
    if (start_ + at + size > bytes_.size()) return;
    for (int i = 0; i < size; ++i) {
      bytes_[start_ + at + i] = static_cast<char>(value >> 8 * (little_ ? i : size - 1 - i));
    }
  }
  // Where the entry for `tag` of the IFD at `ifd` starts.
  std::optional<uint64_t> entry(uint32_t ifd, uint32_t tag) const {
    const auto count = get(ifd, 2);
    for (uint32_t i = 0; count && i < *count; ++i) {
      const uint64_t at = uint64_t(ifd) + 2 + 12 * uint64_t(i);
      const auto found = get(at, 2);
      if (!found) return {};
      if (*found == tag) return at;
    }
    return {};
  }
  // Overwrites an entry's value in place, if it is one SHORT or LONG.
  void set(uint32_t ifd, uint32_t tag, uint32_t value) {
    const auto at = entry(ifd, tag);
    if (!at || get(*at + 4, 4) != 1u) return;
    const auto type = get(*at + 2, 2);
    if (type == kShort && value <= 0xffff) {
      put(*at + 8, 2, value);
    } else if (type == kShort || type == kLong) {
      put(*at + 2, 2, kLong);  // too large for a SHORT: the value field holds a LONG as well
      put(*at + 8, 4, value);
    }
  }

 private:
  uint8_t byte(uint64_t at) const { return static_cast<uint8_t>(bytes_[start_ + at]); }
  std::string& bytes_;
  uint64_t start_;
  bool valid_ = false, little_ = false;
};

}  // namespace

void reset_orientation(std::string& exif) {
  Block block(exif);
  const auto ifd0 = block.valid() ? block.get(4, 4) : std::nullopt;
  if (!ifd0) return;
  block.set(*ifd0, kOrientation, 1);
  if (const auto count = block.get(*ifd0, 2)) block.put(uint64_t(*ifd0) + 2 + 12 * uint64_t(*count), 4, 0);
}

void set_dimensions(std::string& exif, int width, int height) {
  Block block(exif);
  const auto ifd0 = block.valid() ? block.get(4, 4) : std::nullopt;
  if (!ifd0) return;
  block.set(*ifd0, kImageWidth, width);
  block.set(*ifd0, kImageLength, height);
  const auto pointer = block.entry(*ifd0, kExifIfd);
  const auto ifd = pointer ? block.get(*pointer + 8, 4) : std::nullopt;
  if (!ifd) return;
  block.set(*ifd, kPixelX, width);
  block.set(*ifd, kPixelY, height);
}

}  // namespace fye
