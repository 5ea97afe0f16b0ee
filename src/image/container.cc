// JPEG: markers FF xx with a 16-bit length (ITU T.81, B.1.1); JFIF 1.02; EXIF 2.3, 4.7.2; ICC.1 annex B.4
// (chunks). PNG: chunks of length, type, data, CRC (PNG third edition, section 5). WebP: RIFF chunks (RFC
// 9649, section 2).
#include "image/container.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <cstdint>

namespace fye {
namespace {

using namespace std::string_literals;
using namespace std::string_view_literals;

// A segment's length field counts itself: 65535 - 2 bytes are left.
constexpr size_t kSegment = 65'533;

std::string big_endian(uint64_t value, int bytes) {
  std::string result;
  for (int i = bytes - 1; i >= 0; --i) result += static_cast<char>(value >> 8 * i);
  return result;
}

std::string little_endian(uint64_t value, int bytes) {
  std::string result;
  for (int i = 0; i < bytes; ++i) result += static_cast<char>(value >> 8 * i);
  return result;
}

uint32_t read_big(std::string_view bytes) {
  uint32_t value = 0;
  for (int i = 0; i < 4; ++i) value = value << 8 | static_cast<uint8_t>(bytes[i]);
  return value;
}

uint32_t read_little(std::string_view bytes) {
  uint32_t value = 0;
  for (int i = 3; i >= 0; --i) value = value << 8 | static_cast<uint8_t>(bytes[i]);
  return value;
}

std::string segment(int marker, std::string_view head, std::string_view payload) {
  std::string result = "\xff";
  result += static_cast<char>(marker);
  result += big_endian(head.size() + payload.size() + 2, 2);
  result += head;
  result += payload;
  return result;
}

std::string jfif(const Metadata& metadata) {
  const bool stated = metadata.pixels_per_mm_x > 0 && metadata.pixels_per_mm_y > 0;
  const auto per_inch = [](double per_mm) {
    return big_endian(uint64_t(std::min(std::round(per_mm * 25.4), 65535.0)), 2);
  };
  std::string head = "JFIF\0\x01\x02"s;
  if (stated) {
    head += '\x01';
    head += per_inch(metadata.pixels_per_mm_x);
    head += per_inch(metadata.pixels_per_mm_y);
  } else {
    head += "\0\0\1\0\1"s;  // square pixels
  }
  head += "\0\0"s;  // no thumbnail
  return segment(0xe0, head, {});
}

// One block in one marker segment, or a notice.
void add_block(std::string& out, int marker, std::string_view head, std::string_view block, const char* label,
               std::vector<std::string>& notices) {
  if (block.empty()) return;
  if (head.size() + block.size() > kSegment) {
    notices.push_back(fmt::format("{} of {} bytes is left out: JPEG holds at most {}", label, block.size(),
                                  kSegment - head.size()));
    return;
  }
  out += segment(marker, head, block);
}

uint32_t crc32(std::string_view bytes) {
  static const auto table = [] {
    std::array<uint32_t, 256> made;
    for (uint32_t i = 0; i < 256; ++i) {
      made[i] = i;
      for (int bit = 0; bit < 8; ++bit) made[i] = made[i] & 1 ? made[i] >> 1 ^ 0xedb88320u : made[i] >> 1;
    }
    return made;
  }();
  uint32_t crc = ~0u;
  for (const char byte : bytes) crc = table[(crc ^ static_cast<uint8_t>(byte)) & 255] ^ crc >> 8;
  return ~crc;
}

std::string riff_chunk(std::string_view type, std::string_view data) {
  std::string result = std::string(type) + little_endian(data.size(), 4) + std::string(data);
  if (data.size() % 2) result += '\0';
  return result;
}

void note_iptc(const Metadata& metadata, const char* format, std::vector<std::string>& notices) {
  if (!metadata.iptc.empty())
    notices.push_back(fmt::format("IPTC is left out: fye does not write it to {}", format));
}

}  // namespace

std::string jpeg_with_metadata(std::string_view jpeg, const Metadata& metadata,
                               std::vector<std::string>& notices) {
  constexpr std::string_view kIcc = "ICC_PROFILE\0"sv, kPhotoshop = "Photoshop 3.0\0"sv;
  std::string out(jpeg.substr(0, 2));  // SOI
  out += jfif(metadata);
  add_block(out, 0xe1, "Exif\0\0"sv, metadata.exif, "EXIF", notices);
  add_block(out, 0xe1, "http://ns.adobe.com/xap/1.0/\0"sv, metadata.xmp, "XMP", notices);
  if (metadata.iptc.starts_with(kPhotoshop)) {
    add_block(out, 0xed, {}, metadata.iptc, "IPTC", notices);
  } else {
    note_iptc(metadata, "JPEG unless it came from one", notices);
  }
  const size_t part = kSegment - kIcc.size() - 2;
  const size_t parts = (metadata.icc.size() + part - 1) / part;
  if (parts > 255) notices.push_back("the ICC profile is left out: too large for JPEG");
  for (size_t i = 0; i < parts && parts <= 255; ++i) {
    const std::string head = std::string(kIcc) + static_cast<char>(i + 1) + static_cast<char>(parts);
    out += segment(0xe2, head, std::string_view(metadata.icc).substr(i * part, part));
  }
  out += jpeg.substr(2);
  return out;
}

std::string png_with_metadata(std::string_view png, const Metadata& metadata,
                              std::vector<std::string>& notices) {
  note_iptc(metadata, "PNG", notices);
  const bool resolution = metadata.pixels_per_mm_x > 0 && metadata.pixels_per_mm_y > 0;
  std::string out(png.substr(0, 8));
  size_t at = 8;
  while (at + 12 <= png.size()) {
    const size_t size = 12 + size_t(read_big(png.substr(at)));
    const std::string_view chunk = png.substr(at, size), type = chunk.substr(4, 4);
    if (type == "IDAT") break;
    if (type != "eXIf" && (type != "pHYs" || resolution)) out += chunk;
    at += size;
  }
  if (!metadata.exif.empty()) {
    const std::string body = "eXIf" + metadata.exif;
    out += big_endian(metadata.exif.size(), 4) + body + big_endian(crc32(body), 4);
  }
  out += png.substr(std::min(at, png.size()));
  return out;
}

std::string webp_with_metadata(std::string_view webp, const Picture& picture,
                               std::vector<std::string>& notices) {
  constexpr uint8_t kExif = 0x08, kAlpha = 0x10;  // flags of VP8X
  note_iptc(picture.metadata, "WebP", notices);
  const std::string& exif = picture.metadata.exif;
  std::string extended, chunks, after;
  for (size_t at = 12; at + 8 <= webp.size();) {
    const size_t size = 8 + (size_t(read_little(webp.substr(at + 4))) + 1) / 2 * 2;
    const std::string_view chunk = webp.substr(at, size), type = chunk.substr(0, 4);
    if (type == "VP8X") {
      extended = chunk;
    } else if (type != "EXIF") {
      (type == "XMP " ? after : chunks) += chunk;  // the order is VP8X, ICCP, pixels, EXIF, XMP
    }
    at += size;
  }
  if (extended.empty() && !exif.empty()) {
    std::string body(4, '\0');
    if (picture.has_alpha()) body[0] = kAlpha;
    extended =
        riff_chunk("VP8X", body + little_endian(picture.width - 1, 3) + little_endian(picture.height - 1, 3));
  }
  if (extended.size() > 8) {
    extended[8] = static_cast<char>(exif.empty() ? extended[8] & ~kExif : extended[8] | kExif);
  }
  std::string body = "WEBP" + extended + chunks;
  if (!exif.empty()) body += riff_chunk("EXIF", exif);
  body += after;
  return "RIFF" + little_endian(body.size(), 4) + body;
}

}  // namespace fye
