// Pictures, folders and hand-made PNG files for the tests of this room and of those that read pictures.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <string_view>

#include "image/picture.h"

namespace fye::testing {

// Removed with everything in it on scope exit.
class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "fye-test-XXXXXX").string();
    path_ = mkdtemp(name.data());
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::filesystem::path operator/(std::string_view name) const { return path_ / name; }
  const std::filesystem::path& path() const { return path_; }
  size_t files() const {
    return static_cast<size_t>(std::distance(std::filesystem::directory_iterator(path_), {}));
  }

 private:
  std::filesystem::path path_;
};

inline std::string load(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline void store(const std::filesystem::path& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

// Sample (y, x, c) = (17 y^2 + 31 x^2 + 7 x y + 61 c) mod 256, in 16 bit times 257 plus x: every row and
// column differs.
inline Picture pattern(int width, int height, int channels, int bits = 8) {
  Picture picture(width, height, channels, bits);
  size_t at = 0;
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      for (int c = 0; c < channels; ++c, ++at) {
        const int value = (17 * y * y + 31 * x * x + 7 * x * y + 61 * c) % 256;
        if (bits == 16) {
          picture.u16()[at] = static_cast<uint16_t>(std::min(value * 257 + x, 65535));
        } else {
          picture.u8()[at] = static_cast<uint8_t>(value);
        }
      }
    }
  }
  return picture;
}

// A slow wave, so that lossy formats stay within a few levels.
inline Picture smooth(int width, int height, int channels) {
  Picture picture(width, height, channels);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      for (int c = 0; c < channels; ++c) {
        picture.u8()[(size_t(y) * width + x) * channels + c] =
            static_cast<uint8_t>(60 + (2 * x + 3 * y + 20 * c) % 128);
      }
    }
  }
  return picture;
}

inline Picture noise(int width, int height, int channels, int bits, unsigned seed) {
  Picture picture(width, height, channels, bits);
  std::mt19937 random(seed);
  for (uint8_t& byte : picture.bytes) byte = static_cast<uint8_t>(random());
  return picture;
}

// 1: left and right change places; 2: top and bottom.
inline Picture flipped(const Picture& picture, bool sideways) {
  Picture result = picture;
  const size_t pixel = size_t(picture.channels) * (picture.bits / 8);
  for (int y = 0; y < picture.height; ++y) {
    for (int x = 0; x < picture.width; ++x) {
      const int from_y = sideways ? y : picture.height - 1 - y, from_x = sideways ? picture.width - 1 - x : x;
      std::copy_n(&picture.bytes[(size_t(from_y) * picture.width + from_x) * pixel], pixel,
                  &result.bytes[(size_t(y) * picture.width + x) * pixel]);
    }
  }
  return result;
}

inline std::string big_endian(uint32_t value) {
  return {char(value >> 24), char(value >> 16), char(value >> 8), char(value)};
}

// One PNG chunk with its CRC.
inline std::string png_chunk(std::string_view type, std::string_view data) {
  const std::string body = std::string(type) + std::string(data);
  uint32_t crc = ~0u;
  for (const char byte : body) {
    crc ^= static_cast<uint8_t>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = crc & 1 ? crc >> 1 ^ 0xedb88320u : crc >> 1;
  }
  return big_endian(static_cast<uint32_t>(data.size())) + body + big_endian(~crc);
}

inline std::string png_header(uint32_t width, uint32_t height, int bits, int colour_type) {
  return std::string("\x89PNG\r\n\x1a\n") +
         png_chunk("IHDR", big_endian(width) + big_endian(height) + char(bits) + char(colour_type) +
                               std::string(3, '\0'));
}

// `data` as a zlib stream of stored blocks.
inline std::string zlib_stored(std::string_view data) {
  std::string result = "\x78\x01";
  uint32_t a = 1, b = 0;
  for (size_t at = 0; at < data.size() || at == 0; at += 65535) {
    const std::string_view block = data.substr(at, 65535);
    const auto size = static_cast<uint16_t>(block.size());
    result += char(at + 65535 >= data.size());
    for (const int value : {int(size), int(static_cast<uint16_t>(~size))}) {
      result += char(value);
      result += char(value >> 8);
    }
    result += block;
  }
  for (const char byte : data) {
    a = (a + static_cast<uint8_t>(byte)) % 65521;
    b = (b + a) % 65521;
  }
  return result + big_endian(b << 16 | a);
}

// A whole PNG: header, `before` (further chunks), rows (each with its filter byte), end.
inline std::string png(uint32_t width, uint32_t height, int bits, int colour_type, const std::string& before,
                       std::string_view rows) {
  return png_header(width, height, bits, colour_type) + before + png_chunk("IDAT", zlib_stored(rows)) +
         png_chunk("IEND", "");
}

inline bool contains(std::string_view text, std::string_view part) { return text.find(part) != text.npos; }

}  // namespace fye::testing
