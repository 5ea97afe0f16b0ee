// Base64 (RFC 4648, section 4): bytes as text, for integers inside JSON.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace fye {

// With padding, without line breaks.
std::string to_base64(std::span<const uint8_t> bytes);

// Nothing if the text is not what to_base64 writes: wrong length, foreign characters, stray padding, bits
// after the end.
std::optional<std::vector<uint8_t>> from_base64(std::string_view text);

}  // namespace fye
