#include "image/sniff.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <string_view>

namespace fye {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kPng = "\x89PNG\r\n\x1a\n"sv;

struct Kind {
  std::string_view start, name;
};

// What people hand over instead of the four formats.
constexpr Kind kOthers[] = {
    {"GIF8"sv, "a GIF picture"},
    {"BM"sv, "a BMP picture"},
    {"%PDF"sv, "a PDF document"},
    {"%!PS"sv, "a PostScript document"},
    {"<svg"sv, "an SVG drawing"},
    {"<?xml"sv, "an XML (perhaps SVG) file"},
    {"\xff\x0a"sv, "a JPEG XL picture"},
    {"\0\0\0\x0cJXL "sv, "a JPEG XL picture"},
    {"\0\0\0\x0cjP  "sv, "a JPEG 2000 picture"},
    {"\xff\x4f\xff\x51"sv, "a JPEG 2000 picture"},
    {"\x76\x2f\x31\x01"sv, "an OpenEXR picture"},
    {"8BPS"sv, "a Photoshop document"},
    {"#?RADIANCE"sv, "a Radiance picture"},
    {"P5"sv, "a PNM picture"},
    {"P6"sv, "a PNM picture"},
    {"PK\x03\x04"sv, "a ZIP archive"},
    {"\x1a\x45\xdf\xa3"sv, "a Matroska or WebM film"},
};

std::string other_kind(std::string_view head) {
  for (const Kind& kind : kOthers) {
    if (head.starts_with(kind.start)) return std::string(kind.name);
  }
  if (head.size() >= 12 && head.substr(4, 4) == "ftyp") {
    const std::string_view brand = head.substr(8, 4);
    if (brand == "avif" || brand == "avis") return "an AVIF picture";
    if (brand.starts_with("hei") || brand.starts_with("hev") || brand == "mif1") return "a HEIF picture";
    return "an MP4 or QuickTime film";
  }
  return "not a picture that fye knows";
}

bool is_tiff(std::string_view head) {
  return head.starts_with("II*\0"sv) || head.starts_with("MM\0*"sv) || head.starts_with("II+\0"sv) ||
         head.starts_with("MM\0+"sv);
}

uint32_t big_endian(const char* bytes) {
  uint32_t value = 0;
  for (int i = 0; i < 4; ++i) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

// True if the first directory of a TIFF points to EXIF. BigTIFF isn't looked into.
bool tiff_has_exif(std::ifstream& file, bool little) {
  const auto number = [&](int64_t at, int size) -> int64_t {
    char bytes[4] = {};
    file.seekg(at);
    if (!file.read(bytes, size)) return -1;
    if (little) std::reverse(bytes, bytes + size);
    int64_t value = 0;
    for (int i = 0; i < size; ++i) value = value << 8 | static_cast<unsigned char>(bytes[i]);
    return value;
  };
  constexpr int64_t kExifIfd = 0x8769;
  const int64_t directory = number(4, 4);
  if (directory < 0) return false;
  const int64_t entries = number(directory, 2);
  for (int64_t i = 0; i < entries; ++i) {
    const int64_t tag = number(directory + 2 + 12 * i, 2);
    if (tag < 0 || tag == kExifIfd) return tag == kExifIfd;
  }
  return false;
}

// Walks the chunks by their lengths up to IEND: a file cut anywhere is seen before decoding, and an animation
// too.
Status walk_png(std::ifstream& file, const std::string& name, Sniffed& sniffed) {
  int64_t at = static_cast<int64_t>(kPng.size());
  sniffed.resolution = false;
  for (;;) {
    char head[16] = {};
    file.seekg(at);
    file.read(head, sizeof head);
    const std::streamsize got = file.gcount();
    file.clear();
    const int64_t end = at + 12 + int64_t(big_endian(head));
    if (got < 12 || end > sniffed.bytes) {
      return bad_input(
          fmt::format("{}: truncated PNG: it ends at byte {}, inside the chunk that starts at byte {}", name,
                      sniffed.bytes, at));
    }
    const std::string_view type(head + 4, 4);
    if (type == "IEND") return {};
    if (type == "acTL") sniffed.frames = static_cast<int>(std::min<uint32_t>(big_endian(head + 8), 1 << 30));
    if (type == "pHYs") sniffed.resolution = true;
    at = end;
  }
}

}  // namespace

std::string name(PictureFormat format) {
  constexpr std::array names = {"png", "jpeg", "webp", "tiff"};
  return names[static_cast<size_t>(format)];
}

Result<Sniffed> sniff_picture(const std::filesystem::path& path) {
  const std::string name = path.string();
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (status.type() == std::filesystem::file_type::not_found) return bad_input(name + ": no such file");
  if (error) return bad_input(name + ": " + error.message());
  if (std::filesystem::is_directory(status)) return bad_input(name + ": is a folder, not a picture");
  if (!std::filesystem::is_regular_file(status)) return bad_input(name + ": is no regular file");

  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file) return bad_input(fmt::format("{}: can't be opened: {}", name, std::strerror(errno)));
  std::array<char, 32> bytes = {};
  file.read(bytes.data(), bytes.size());
  const std::string_view head(bytes.data(), static_cast<size_t>(file.gcount()));
  file.clear();
  if (head.empty()) return bad_input(name + ": is empty");

  Sniffed sniffed{PictureFormat::png, static_cast<int64_t>(std::filesystem::file_size(path, error))};
  if (error) return bad_input(name + ": " + error.message());
  if (head.starts_with(kPng)) {
    constexpr size_t kInterlaceMethod = 28;  // in the file: signature, length, "IHDR", 12 bytes before it
    sniffed.interlaced = head.size() > kInterlaceMethod && head[kInterlaceMethod] != 0;
    if (auto walked = walk_png(file, name, sniffed); !walked) return walked.error();
  } else if (head.starts_with("\xff\xd8\xff")) {
    sniffed.format = PictureFormat::jpeg;
  } else if (head.size() >= 12 && head.starts_with("RIFF") && head.substr(8, 4) == "WEBP") {
    sniffed.format = PictureFormat::webp;
  } else if (is_tiff(head)) {
    sniffed.format = PictureFormat::tiff;
    if (head[2] == '*' || head[3] == '*') sniffed.hidden_exif = tiff_has_exif(file, head[0] == 'I');
  } else {
    return bad_input(fmt::format("{}: {}", name, other_kind(head)), "fye reads PNG, JPEG, WebP and TIFF");
  }
  return sniffed;
}

}  // namespace fye
