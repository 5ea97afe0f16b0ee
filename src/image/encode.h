// Encoding: what a format can hold, and libvips' savers as fye sets them. Inside this room only.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "image/file.h"
#include "image/file_target.h"
#include "image/rows.h"
#include "image/sniff.h"
#include "image/vips.h"

namespace fye {

// By the extension. Errors: none that fye writes.
Result<PictureFormat> format_to_write(const std::filesystem::path& path);

// Refuses sizes that the format can't hold, and a quality outside 1..100.
Status check_writable(const std::string& name, const RowFormat& rows, PictureFormat format,
                      const WriteOptions& options);

// What has to go: alpha in JPEG, 16 bit in JPEG and WebP.
struct Reduction {
  bool flatten = false, narrow = false;
  bool any() const { return flatten || narrow; }
  RowFormat of(RowFormat rows) const;
  Picture of(const Picture& picture) const;
  std::vector<std::string> notices(PictureFormat format) const;
};
Reduction reduction_for(const RowFormat& rows, PictureFormat format);

// Tells libvips what the samples mean, with the blocks that it writes untouched (its IPTC in TIFF is cut to a
// quarter, its EXIF rewritten).
void describe(VipsImage* image, const RowFormat& rows, const Metadata& metadata);

// The image as a file in `target`, with all metadata that the format can hold; the rest becomes notices.
// `small` gives JPEG Huffman tables of its own, for which libjpeg holds the whole picture. Errors: the
// disk's, else code resources with libvips' reason.
Status encode(const std::string& name, VipsImage* image, PictureFormat format, int quality, bool small,
              const Metadata& metadata, FileTarget& target, std::vector<std::string>& notices);

}  // namespace fye
