#include "quant/base64.h"

#include <algorithm>
#include <array>

namespace fye {
namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::array<int8_t, 256> inverse() {
  std::array<int8_t, 256> table{};
  table.fill(-1);
  for (size_t i = 0; i < kAlphabet.size(); ++i) table[uint8_t(kAlphabet[i])] = int8_t(i);
  return table;
}

}  // namespace

std::string to_base64(std::span<const uint8_t> bytes) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t at = 0; at < bytes.size(); at += 3) {
    const size_t n = std::min<size_t>(3, bytes.size() - at);
    uint32_t group = 0;
    for (size_t i = 0; i < 3; ++i) group = group << 8 | (i < n ? bytes[at + i] : 0);
    for (size_t i = 0; i < 4; ++i) text += i <= n ? kAlphabet[group >> (18 - 6 * i) & 63] : '=';
  }
  return text;
}

std::optional<std::vector<uint8_t>> from_base64(std::string_view text) {
  static constexpr auto kInverse = inverse();
  if (text.size() % 4) return std::nullopt;
  const size_t padding = text.ends_with("==") ? 2 : text.ends_with("=") ? 1 : 0;
  std::vector<uint8_t> bytes;
  bytes.reserve(text.size() / 4 * 3);
  for (size_t at = 0; at < text.size(); at += 4) {
    const size_t pad = at + 4 == text.size() ? padding : 0;
    uint32_t group = 0;
    for (size_t i = 0; i < 4; ++i) {
      const int value = i < 4 - pad ? kInverse[uint8_t(text[at + i])] : 0;
      if (value < 0) return std::nullopt;
      group = group << 6 | uint32_t(value);
    }
    if (group & ((1u << 8 * pad) - 1)) return std::nullopt;
    for (size_t i = 0; i < 3 - pad; ++i) bytes.push_back(uint8_t(group >> (16 - 8 * i)));
  }
  return bytes;
}

}  // namespace fye
