// What of a picture's metadata goes on into the enlarged one.
#pragma once

#include <optional>
#include <string>

#include "image/picture.h"

namespace fye {

// keep: all of it. safe: all but where it was taken: no GPS block in EXIF, no XMP that speaks of a place, no IPTC.
// strip: the colour profile and the resolution alone, without which it would look different.
enum class MetadataRule { keep, safe, strip };

// "keep", "safe", "strip".
std::optional<MetadataRule> metadata_rule_from(const std::string& text);

void apply(MetadataRule rule, Metadata& metadata);

}  // namespace fye
