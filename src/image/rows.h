// Picture files row by row: what read_picture and write_picture do, holding a few rows at a time where the
// file allows it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "image/file.h"
#include "image/picture.h"

namespace fye {

// Packed rows of a Picture: channels interleaved, 8 bits or 16 (native byte order) a sample.
struct RowFormat {
  int width = 0, height = 0, channels = 0, bits = 8;
  size_t row_bytes() const { return size_t(width) * size_t(channels) * size_t(bits / 8); }
};

// The same pictures, conversions, limits and errors as read_picture; a file that is cut or corrupt fails at
// the row where that shows. One call at a time.
class RowReader {
 public:
  static Result<RowReader> open(const std::filesystem::path& path, const ReadLimits& limits = {});
  RowReader(RowReader&&) noexcept;
  ~RowReader();

  const RowFormat& format() const;
  const Metadata& metadata() const;  // before any row: what stays behind stands in `lost` from the start

  // Bytes that reading holds at most, decoder included. Where that is the whole picture, because the file
  // can't be read from top to bottom, `whole` says why ("a progressive JPEG"); else it is empty.
  int64_t held_bytes() const;
  const std::string& whole() const;

  // The next `count` rows; more than there are is a bug (error).
  Status read(int count, uint8_t* rows);

 private:
  struct State;
  explicit RowReader(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// The same pixels and metadata as write_picture, and for PNG, TIFF and WebP the same bytes (a JPEG that goes
// row by row has standard Huffman tables: it is a few percent larger). Encodes on a thread of its own while
// rows come. Destroyed without finish(), it leaves nothing behind. One call at a time.
class RowWriter {
 public:
  // Errors: those of write_picture before it encodes.
  static Result<RowWriter> create(const std::filesystem::path& path, const RowFormat& format,
                                  const Metadata& metadata, const WriteOptions& options = {});
  RowWriter(RowWriter&&) noexcept;
  ~RowWriter();

  // Bytes that writing such rows to `path` would hold at most, encoder included; `whole` as in RowReader.
  struct Need {
    int64_t bytes = 0;
    std::string whole;
  };
  static Result<Need> need(const std::filesystem::path& path, const RowFormat& format,
                           const WriteOptions& options = {});

  // The next `count` rows. Errors: the encoder's or the disk's, perhaps for rows given earlier.
  Status write(const uint8_t* rows, int count);

  // After the last row: the file appears under its name. Notices as write_picture.
  Result<std::vector<std::string>> finish();

 private:
  struct State;
  explicit RowWriter(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace fye
