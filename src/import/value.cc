#include "import/value.h"

#include <fmt/format.h>

#include <bit>
#include <charconv>
#include <cstring>
#include <map>

#include "graph/shapes.h"
#include "import/external_data.h"
#include "import/half.h"

namespace fye {
namespace {

using Proto = onnx::TensorProto;

static_assert(std::endian::native == std::endian::little);  // as raw_data is

float from_bfloat(uint16_t bits) { return std::bit_cast<float>(uint32_t{bits} << 16); }

// Bytes an element takes in raw_data; 0 for types that fye does not read.
int64_t bytes_of(int type) {
  switch (type) {
    case Proto::FLOAT:
    case Proto::INT32:
    case Proto::UINT32:
      return 4;
    case Proto::INT64:
    case Proto::UINT64:
    case Proto::DOUBLE:
      return 8;
    case Proto::UINT16:
    case Proto::INT16:
    case Proto::FLOAT16:
    case Proto::BFLOAT16:
      return 2;
    case Proto::UINT8:
    case Proto::INT8:
    case Proto::BOOL:
      return 1;
    default:
      return 0;
  }
}

template <class T, class Out, class Convert>
void decode(std::string_view bytes, std::vector<Out>& out, const Convert& convert) {
  out.resize(bytes.size() / sizeof(T));
  for (size_t i = 0; i < out.size(); ++i) {
    T raw;
    std::memcpy(&raw, bytes.data() + i * sizeof(T), sizeof(T));
    out[i] = convert(raw);
  }
}

void decode_raw(std::string_view bytes, Value& value) {
  const auto to_float = [](auto v) { return static_cast<float>(v); };
  const auto to_int = [](auto v) { return static_cast<int64_t>(v); };
  switch (value.type) {
    case Proto::FLOAT:
      return decode<float>(bytes, value.floats, to_float);
    case Proto::DOUBLE:
      return decode<double>(bytes, value.floats, to_float);
    case Proto::FLOAT16:
      return decode<uint16_t>(bytes, value.floats, from_half);
    case Proto::BFLOAT16:
      return decode<uint16_t>(bytes, value.floats, from_bfloat);
    case Proto::INT8:
      return decode<int8_t>(bytes, value.ints, to_int);
    case Proto::UINT8:
    case Proto::BOOL:
      return decode<uint8_t>(bytes, value.ints, to_int);
    case Proto::INT16:
      return decode<int16_t>(bytes, value.ints, to_int);
    case Proto::UINT16:
      return decode<uint16_t>(bytes, value.ints, to_int);
    case Proto::INT32:
      return decode<int32_t>(bytes, value.ints, to_int);
    case Proto::UINT32:
      return decode<uint32_t>(bytes, value.ints, to_int);
    case Proto::INT64:
      return decode<int64_t>(bytes, value.ints, to_int);
    case Proto::UINT64:
      return decode<uint64_t>(bytes, value.ints, to_int);
    default:
      return;
  }
}

// The repeated fields: small integers and 16-bit floats share int32_data.
void decode_fields(const Proto& tensor, Value& value) {
  switch (value.type) {
    case Proto::FLOAT:
      value.floats.assign(tensor.float_data().begin(), tensor.float_data().end());
      break;
    case Proto::DOUBLE:
      value.floats.assign(tensor.double_data().begin(), tensor.double_data().end());
      break;
    case Proto::FLOAT16:
      for (const int32_t bits : tensor.int32_data())
        value.floats.push_back(from_half(static_cast<uint16_t>(bits)));
      break;
    case Proto::BFLOAT16:
      for (const int32_t bits : tensor.int32_data())
        value.floats.push_back(from_bfloat(static_cast<uint16_t>(bits)));
      break;
    case Proto::INT64:
      value.ints.assign(tensor.int64_data().begin(), tensor.int64_data().end());
      break;
    case Proto::UINT32:
    case Proto::UINT64:
      value.ints.assign(tensor.uint64_data().begin(), tensor.uint64_data().end());
      break;
    default:
      value.ints.assign(tensor.int32_data().begin(), tensor.int32_data().end());
      break;
  }
}

// A whole number among external_data's strings; `fallback` if the key is missing.
Result<int64_t> number(const std::map<std::string, std::string>& entries, const std::string& key,
                       int64_t fallback) {
  const auto found = entries.find(key);
  if (found == entries.end()) return fallback;
  int64_t value = 0;
  const char* end = found->second.data() + found->second.size();
  const auto [stop, code] = std::from_chars(found->second.data(), end, value);
  if (code != std::errc() || stop != end || value < 0)
    return bad_input(fmt::format("external data: {} \"{}\" is no number", key, found->second));
  return value;
}

Result<std::string> external_bytes(const Proto& tensor, int64_t bytes, const std::filesystem::path& folder,
                                   const ImportLimits& limits) {
  std::map<std::string, std::string> entries;
  for (const auto& entry : tensor.external_data()) entries[entry.key()] = entry.value();
  const auto offset = number(entries, "offset", 0), length = number(entries, "length", bytes);
  if (!offset) return offset.error();
  if (!length) return length.error();
  if (*length != bytes)
    return bad_input(fmt::format("external data: length {}, but the shape needs {} bytes", *length, bytes));
  return read_external(folder, entries["location"], *offset, bytes, limits.file_bytes);
}

}  // namespace

bool Value::is_float() const { return is_float_type(type); }

std::string type_name(int type) {
  const std::string name =
      Proto::DataType_IsValid(type) ? Proto::DataType_Name(static_cast<Proto::DataType>(type)) : "";
  return name.empty() ? fmt::format("type {}", type) : name;
}

bool is_float_type(int type) {
  return type == Proto::FLOAT || type == Proto::FLOAT16 || type == Proto::BFLOAT16 || type == Proto::DOUBLE;
}

Result<Value> read_value(const onnx::TensorProto& tensor, const std::filesystem::path& folder,
                         const ImportLimits& limits) {
  Value value{.shape = {tensor.dims().begin(), tensor.dims().end()}, .type = tensor.data_type()};
  if (value.shape.size() > kMaxRank)
    return bad_input(fmt::format("{} dimensions, at most {}", value.shape.size(), kMaxRank));
  for (const int64_t dim : value.shape)
    if (dim < 0 || dim > kMaxDimension)
      return bad_input(
          fmt::format("shape {}: dimensions go from 0 to {}", to_text(value.shape), kMaxDimension));
  const int64_t size = bytes_of(value.type), count = element_count(value.shape);
  if (size == 0)
    return bad_input(fmt::format("holds {}; fye reads numbers of 8 to 64 bits", type_name(value.type)));
  if (count < 0 || count > limits.elements)
    return bad_input(fmt::format("shape {} is beyond {} elements", to_text(value.shape), limits.elements));
  if (tensor.has_segment()) return bad_input("is stored in segments, which fye does not read");

  if (tensor.data_location() == Proto::EXTERNAL) {
    const auto bytes = external_bytes(tensor, count * size, folder, limits);
    if (!bytes) return bytes.error();
    decode_raw(*bytes, value);
  } else if (tensor.has_raw_data()) {
    if (static_cast<int64_t>(tensor.raw_data().size()) != count * size)
      return bad_input(fmt::format("shape {} of {} needs {} bytes, got {}", to_text(value.shape),
                                   type_name(value.type), count * size, tensor.raw_data().size()));
    decode_raw(tensor.raw_data(), value);
  } else {
    decode_fields(tensor, value);
    const auto got = static_cast<int64_t>(value.floats.size() + value.ints.size());
    if (got != count)
      return bad_input(fmt::format("shape {} needs {} values, got {}", to_text(value.shape), count, got));
  }
  return value;
}

}  // namespace fye
