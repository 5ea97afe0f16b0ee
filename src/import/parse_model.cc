#include "import/parse_model.h"

#include <fmt/format.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <algorithm>
#include <climits>
#include <optional>

namespace fye {
namespace {

// Deeper than any model without subgraphs: model, graph, node, attribute, tensor, segment.
constexpr int kMaxDepth = 32;

// Which fields of ONNX's messages hold messages that repeat things (onnx.proto); others are not looked into.
enum class Message { model, graph, node, attribute, tensor, info, type, function, training, other };

struct Edge {
  Message from;
  uint32_t field;
  Message to;
};
constexpr Edge kEdges[] = {
    {Message::model, 7, Message::graph},       {Message::model, 20, Message::training},
    {Message::model, 25, Message::function},   {Message::training, 1, Message::graph},
    {Message::training, 2, Message::graph},    {Message::function, 7, Message::node},
    {Message::graph, 1, Message::node},        {Message::graph, 5, Message::tensor},
    {Message::graph, 11, Message::info},       {Message::graph, 12, Message::info},
    {Message::graph, 13, Message::info},       {Message::graph, 14, Message::tensor},
    {Message::graph, 15, Message::tensor},     {Message::node, 5, Message::attribute},
    {Message::attribute, 5, Message::tensor},  {Message::attribute, 6, Message::graph},
    {Message::attribute, 10, Message::tensor}, {Message::attribute, 11, Message::graph},
    {Message::attribute, 14, Message::type},   {Message::attribute, 15, Message::type},
    {Message::attribute, 22, Message::tensor}, {Message::attribute, 23, Message::tensor},
    {Message::info, 2, Message::type},
};

Message child(Message message, uint32_t field) {
  if (message == Message::type) return Message::type;  // types nest in each other
  for (const Edge& edge : kEdges)
    if (edge.from == message && edge.field == field) return edge.to;
  return Message::other;
}

// Walks the wire format (protobuf.dev/programming-guides/encoding) and counts fields before anything is
// allocated for them.
class FieldCounter {
 public:
  explicit FieldCounter(int64_t limit) : left_(limit) {}

  // False if there are more fields than allowed; what is malformed is left to the parser.
  bool count(std::string_view bytes, Message message, int depth) {
    while (!bytes.empty()) {
      if (--left_ < 0) return false;
      const auto tag = varint(bytes);
      if (!tag) return true;
      switch (*tag & 7) {
        case 0:
          if (!varint(bytes)) return true;
          break;
        case 1:
          bytes.remove_prefix(std::min<size_t>(bytes.size(), 8));
          break;
        case 5:
          bytes.remove_prefix(std::min<size_t>(bytes.size(), 4));
          break;
        case 2: {
          const auto length = varint(bytes);
          if (!length || *length > bytes.size()) return true;
          const Message inside = child(message, static_cast<uint32_t>(*tag >> 3));
          if (inside != Message::other && depth < kMaxDepth &&
              !count(bytes.substr(0, *length), inside, depth + 1))
            return false;
          bytes.remove_prefix(*length);
          break;
        }
        default:
          return true;
      }
    }
    return true;
  }

 private:
  static std::optional<uint64_t> varint(std::string_view& bytes) {
    uint64_t value = 0;
    for (int shift = 0; shift < 64 && !bytes.empty(); shift += 7) {
      const auto byte = static_cast<unsigned char>(bytes.front());
      bytes.remove_prefix(1);
      value |= uint64_t{byte & 0x7fu} << shift;
      if (byte < 0x80) return value;
    }
    return std::nullopt;
  }

  int64_t left_;
};

}  // namespace

Result<onnx::ModelProto> parse_model(std::string_view bytes, std::string_view name, int64_t max_fields) {
  const auto no_model = [&](std::string_view why) {
    return bad_input(fmt::format("{}: no ONNX model: {}", name, why));
  };
  if (bytes.empty()) return no_model("the file is empty");
  if (bytes.size() > INT_MAX) return no_model("larger than protobuf's 2 GB");
  if (!FieldCounter(max_fields).count(bytes, Message::model, 0))
    return no_model(fmt::format("more than {} protobuf fields", max_fields));

  google::protobuf::io::ArrayInputStream array(bytes.data(), static_cast<int>(bytes.size()));
  google::protobuf::io::CodedInputStream stream(&array);
  stream.SetRecursionLimit(kMaxDepth);
  onnx::ModelProto model;
  if (!model.ParseFromCodedStream(&stream) || !stream.ConsumedEntireMessage())
    return no_model("its bytes are not a complete protobuf message");
  if (!model.has_graph()) return no_model("it has no graph");
  return model;
}

}  // namespace fye
