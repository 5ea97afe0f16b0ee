// EXIF's GPS block is an IFD of its own that one entry of IFD0 points to (EXIF 2.3, section 4.6.3). Its bytes are zeroed and
// the entry becomes a harmless one; nothing moves, so that all other offsets stay right. A block that can't be walked is
// dropped whole: rather nothing than a place. Tested by batch/privacy_test.cc.
#include "batch/privacy.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>
#include <string_view>

namespace fye {
namespace {

using namespace std::string_view_literals;

constexpr uint32_t kGpsPointer = 0x8825;
// An entry's tag that readers pass over: unassigned, and above all that TIFF and EXIF know, so that the order of tags
// in the IFD does not matter to those who want it sorted.
constexpr uint32_t kNothing = 0xFFFF;

// Bytes of a value by its type, 1..13 (TIFF 6.0, section 2; 13: IFD).
constexpr std::array<uint64_t, 14> kTypeBytes = {0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4};

// False if an offset leads nowhere.
class Walker {
 public:
  Walker(std::string& bytes, bool little) : bytes_(bytes), little_(little) {}

  bool get(uint64_t at, int size, uint32_t& value) const {
    if (at + uint64_t(size) > bytes_.size()) return false;
    value = 0;
    for (int i = 0; i < size; ++i)
      value |= uint32_t(uint8_t(bytes_[at + uint64_t(i)])) << 8 * (little_ ? i : size - 1 - i);
    return true;
  }
  void put(uint64_t at, int size, uint32_t value) {
    for (int i = 0; i < size; ++i) bytes_[at + uint64_t(i)] = char(value >> 8 * (little_ ? i : size - 1 - i));
  }
  bool zero(uint64_t at, uint64_t count) {
    if (at > bytes_.size() || count > bytes_.size() - at) return false;
    std::fill_n(bytes_.begin() + long(at), count, '\0');
    return true;
  }

  // The IFD at `ifd` and what its entries point to, all zero.
  bool erase_ifd(uint64_t ifd) {
    uint32_t count = 0;
    if (!get(ifd, 2, count)) return false;
    for (uint32_t i = 0; i < count; ++i) {
      const uint64_t at = ifd + 2 + 12 * uint64_t(i);
      uint32_t type = 0, values = 0, offset = 0;
      if (!get(at + 2, 2, type) || !get(at + 4, 4, values) || !get(at + 8, 4, offset)) return false;
      if (type >= kTypeBytes.size()) return false;
      const uint64_t bytes = kTypeBytes[type] * values;
      if (bytes > 4 && !zero(offset, bytes)) return false;
    }
    return zero(ifd, 2 + 12 * uint64_t(count));
  }

  // Every GPS pointer of IFD0, and of the IFDs chained to it, is erased with what it points to.
  bool erase_gps() {
    uint32_t ifd = 0;
    if (!get(4, 4, ifd)) return false;
    constexpr int kMostIfds = 16;
    for (int seen = 0; ifd != 0; ++seen) {
      uint32_t count = 0;
      if (seen == kMostIfds || !get(ifd, 2, count)) return false;
      for (uint32_t i = 0; i < count; ++i) {
        const uint64_t at = uint64_t(ifd) + 2 + 12 * uint64_t(i);
        uint32_t tag = 0, gps = 0;
        if (!get(at, 2, tag) || !get(at + 8, 4, gps)) return false;
        if (tag != kGpsPointer) continue;
        if (!erase_ifd(gps)) return false;
        put(at, 2, kNothing);
        put(at + 8, 4, 0);
      }
      if (!get(uint64_t(ifd) + 2 + 12 * uint64_t(count), 4, ifd)) return false;
    }
    return true;
  }

 private:
  std::string& bytes_;
  bool little_;
};

bool mentions_a_place(const std::string& xmp) {
  std::string lower = xmp;
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
  for (const std::string_view word : {"gps", "location", "photoshop:city", "photoshop:state", "photoshop:country",
                                      "latitude", "longitude", "sublocation"})
    if (lower.find(word) != std::string::npos) return true;
  return false;
}

void make_safe(Metadata& metadata) {
  metadata.iptc.clear();
  if (mentions_a_place(metadata.xmp)) metadata.xmp.clear();
  std::string& exif = metadata.exif;
  const std::string_view prefix = "Exif\0\0"sv;
  const bool prefixed = exif.starts_with(prefix);
  std::string tiff = exif.substr(prefixed ? prefix.size() : 0);
  const bool little = tiff.starts_with("II*\0"sv);
  if (tiff.empty()) return;
  if ((!little && !tiff.starts_with("MM\0*"sv)) || !Walker(tiff, little).erase_gps()) {
    exif.clear();
    return;
  }
  exif = (prefixed ? std::string(prefix) : "") + tiff;
}

}  // namespace

std::optional<MetadataRule> metadata_rule_from(const std::string& text) {
  if (text == "keep") return MetadataRule::keep;
  if (text == "safe") return MetadataRule::safe;
  if (text == "strip") return MetadataRule::strip;
  return {};
}

void apply(MetadataRule rule, Metadata& metadata) {
  if (rule == MetadataRule::keep) return;
  if (rule == MetadataRule::safe) return make_safe(metadata);
  metadata.exif.clear();
  metadata.xmp.clear();
  metadata.iptc.clear();
  metadata.lost.clear();
}

}  // namespace fye
