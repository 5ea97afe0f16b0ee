// Signatures as the containers' specifications have them. Tested by video/sniff_test.cc and
// tests/film_cli_test.py.
#include "video/sniff.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <string>

namespace fye {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kExtensions[] = {".mp4", ".m4v", ".mov",  ".mkv", ".webm", ".avi",
                                            ".ts",  ".mts", ".m2ts", ".mpg", ".ogv",  ".nut"};

struct Signature {
  size_t at;
  std::string_view bytes;
};

constexpr Signature kFilms[] = {
    {0, "\x1A\x45\xDF\xA3"sv},  // EBML: Matroska, WebM
    {4, "moov"sv},
    {4, "mdat"sv},
    {4, "wide"sv},
    {0, "OggS"sv},
    {0, "FLV\x01"sv},
    {0, "\x00\x00\x01\xBA"sv},                  // MPEG programme stream
    {0, "\x30\x26\xB2\x75\x8E\x66\xCF\x11"sv},  // ASF
    {0, "\x06\x0E\x2B\x34\x02\x05\x01\x01"sv},  // MXF
    {0, "nut/multimedia container"sv},
    {0, "DKIF"sv},
    {0, "YUV4MPEG2 "sv},
};

constexpr Signature kPictures[] = {
    {0, "\x89PNG"sv}, {0, "\xFF\xD8\xFF"sv}, {0, "II*\0"sv}, {0, "MM\0*"sv},
    {0, "GIF8"sv},    {0, "BM"sv},           {8, "WEBP"sv},
};

bool matches(std::string_view head, const Signature& s) {
  return head.size() >= s.at + s.bytes.size() && head.substr(s.at, s.bytes.size()) == s.bytes;
}

// ISO base media: still pictures (HEIF, AVIF) have the same box and say so by their brand.
bool is_iso_film(std::string_view head) {
  if (!matches(head, {4, "ftyp"sv}) || head.size() < 12) return false;
  constexpr std::string_view kStill[] = {"avif", "heic", "heix", "mif1", "heim", "heis", "crx "};
  return std::find(std::begin(kStill), std::end(kStill), head.substr(8, 4)) == std::end(kStill);
}

// Two packets of a transport stream; Blu-ray's have four bytes in front of each.
bool is_transport_stream(std::string_view head) {
  const auto sync = [&](size_t at) { return head.size() > at && head[at] == 0x47; };
  return (sync(0) && sync(188)) || (sync(4) && sync(196));
}

std::string head_of(const std::filesystem::path& path) {
  struct stat info;
  if (stat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) return {};
  std::array<char, 400> bytes;
  std::ifstream file(path, std::ios::binary);
  file.read(bytes.data(), bytes.size());
  return {bytes.data(), size_t(file.gcount())};
}

bool any(std::span<const Signature> signatures, std::string_view head) {
  return std::any_of(signatures.begin(), signatures.end(),
                     [&](const Signature& s) { return matches(head, s); });
}

}  // namespace

std::span<const std::string_view> film_extensions() { return kExtensions; }

bool has_film_extension(const std::filesystem::path& path) {
  std::string extension = path.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return char(std::tolower(c)); });
  return std::find(std::begin(kExtensions), std::end(kExtensions), extension) != std::end(kExtensions);
}

bool begins_as_film(std::span<const unsigned char> bytes) {
  const std::string_view head(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return any(kFilms, head) || is_iso_film(head) || is_transport_stream(head) ||
         (matches(head, {0, "RIFF"sv}) && matches(head, {8, "AVI "sv}));
}

bool looks_like_film(const std::filesystem::path& path) {
  struct stat info;
  if (stat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) return false;
  const std::string head = head_of(path);
  if (begins_as_film({reinterpret_cast<const unsigned char*>(head.data()), head.size()})) return true;
  return has_film_extension(path) && !any(kPictures, head);
}

}  // namespace fye
