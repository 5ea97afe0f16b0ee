// Files that must be refused: no models, damaged ones, too large ones, and external data that reaches out of
// its folder.
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "import/external_data.h"
#include "import/onnx_import.h"
#include "import/parse_model.h"
#include "import/test_model.h"

namespace fye {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using Model = TestModel;
using Proto = onnx::TensorProto;

TEST(HostileFile, Bytes) {
  const std::string bytes = good_model().model.SerializeAsString();
  for (const std::string& hostile :
       {std::string(), std::string("no model"), bytes.substr(0, bytes.size() / 2), std::string(1000, '\xff'),
        bytes + "\x01", std::string("\x3a\xff\xff\xff\xff\x0f")}) {
    const auto imported = import_onnx_bytes(hostile, "test.onnx", {});
    ASSERT_FALSE(imported);
    EXPECT_EQ(imported.error().code, ErrorCode::bad_input);
    EXPECT_THAT(imported.error().what, HasSubstr("test.onnx"));
  }
  // Every truncation is refused or read; none crashes.
  for (size_t size = 0; size < bytes.size(); ++size)
    (void)import_onnx_bytes(std::string_view(bytes).substr(0, size), "t", {});
  // So is every one-byte change of the first kilobyte and a sample of the rest.
  for (size_t i = 0; i < bytes.size(); i += i < 1024 ? 1 : 37) {
    std::string changed = bytes;
    changed[i] = static_cast<char>(changed[i] ^ 0x55);
    (void)import_onnx_bytes(changed, "t", {});
  }
}

TEST(HostileFile, Limits) {
  const Model m = good_model();
  EXPECT_THAT(m.import({}, {.file_bytes = 100}).error().what, HasSubstr("more than the 100 allowed"));
  EXPECT_THAT(m.import({}, {.elements = 100}).error().what, HasSubstr("beyond 100 elements"));
  EXPECT_THAT(m.import({}, {.nodes = 1}).error().what, HasSubstr("2 nodes, at most 1"));
}

// Few bytes that ask for many values: one number added to 2^20 channels, one tensor used by many nodes.
TEST(HostileFile, Multiplication) {
  Model broad;
  broad.graph().clear_input();
  broad.input("x", {1, int64_t{1} << 20, 1, 1});
  std::string last = "x";
  broad.floats("c", {}, {1});
  for (int i = 0; i < 20; ++i) {
    const std::string next = "s" + std::to_string(i);
    broad.node("Add", {last, "c"}, next);
    last = next;
  }
  EXPECT_THAT(broad.output(last).import({}, {.elements = 1 << 24}).error().what,
              HasSubstr("(Add): constants of all nodes together"));

  Model shared = good_model();
  for (int i = 0; i < 10; ++i) {
    auto& conv = shared.node("Conv", {"x", "a_w"}, "c" + std::to_string(i));
    Model::ints(conv, "pads", {1, 1, 1, 1});
  }
  EXPECT_THAT(shared.import({}, {.elements = 1000}).error().what, HasSubstr("together take more than 1000"));
  EXPECT_TRUE(shared.import({}, {.elements = 2000}));
}

// Two bytes a field in the file, hundreds in memory: refused before anything is made of them.
TEST(HostileFile, ManyTinyFields) {
  std::string nodes;
  for (int i = 0; i < 10'000; ++i) nodes += std::string("\x0a\x00", 2);
  std::string model("\x3a", 1);
  for (size_t left = nodes.size(); left; left >>= 7)
    model += static_cast<char>((left & 127) | (left > 127 ? 128 : 0));
  EXPECT_THAT(parse_model(model + nodes, "t", 5'000).error().what,
              HasSubstr("more than 5000 protobuf fields"));
  EXPECT_TRUE(parse_model(model + nodes, "t", 20'000));
}

TEST(HostileFile, DeepNesting) {
  std::string inner;
  for (int i = 0; i < 100; ++i) {
    // graph in attribute in node in graph ...
    onnx::GraphProto graph;
    auto& attribute = *graph.add_node()->add_attribute();
    attribute.mutable_g()->ParseFromString(inner);
    inner = graph.SerializeAsString();
  }
  onnx::ModelProto model;
  model.mutable_graph()->ParsePartialFromString(inner);
  EXPECT_FALSE(import_onnx_bytes(model.SerializeAsString(), "t", {}));
}

TEST(HostileFile, MissingAndSpecialFiles) {
  EXPECT_FALSE(import_onnx("/nonexistent/model.onnx"));
  EXPECT_FALSE(import_onnx("/"));
  EXPECT_FALSE(import_onnx("/dev/zero"));
}

class ExternalFiles : public testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directories(folder_ / "model");
    std::ofstream(folder_ / "outside") << "01234567";
    std::ofstream(folder_ / "model" / "inside") << "01234567";
    std::filesystem::create_symlink("inside", folder_ / "model" / "link");
    std::filesystem::create_directory_symlink("..", folder_ / "model" / "up");
    std::ofstream(folder_ / "model" / "linked") << "01234567";
    std::filesystem::create_hard_link(folder_ / "model" / "linked", folder_ / "model" / "again");
    ASSERT_EQ(mkfifo((folder_ / "model" / "pipe").c_str(), 0600), 0);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() / ("fye_hostile_" + std::to_string(getpid()));
};

TEST_F(ExternalFiles, OnlyWhatLiesInside) {
  const auto read = [&](std::string_view location, int64_t offset = 0, int64_t length = 8) {
    return read_external(folder_ / "model", location, offset, length, 1000);
  };
  const auto whole = read("inside");
  ASSERT_TRUE(whole) << whole.error().what;
  EXPECT_EQ(*whole, "01234567");
  EXPECT_EQ(*read("inside", 5, 2), "56");
  const std::string absolute = folder_ / "outside";
  const std::vector<std::string> refused = {"../outside", "model/../../outside", "./inside", "link",    "up/outside",
                                            "up/model/inside", "again", "pipe", "", "gone", "inside/", "inside/x",
                                            ".", absolute};
  for (const std::string& location : refused) EXPECT_FALSE(read(location)) << location;
  EXPECT_FALSE(read(std::string_view("inside\0x", 8)));
  EXPECT_FALSE(read("inside", 1, 8));
  EXPECT_FALSE(read("inside", -1, 1));
  EXPECT_FALSE(read("inside", 0, -1));
  EXPECT_FALSE(read("inside", INT64_MAX, INT64_MAX));
  EXPECT_FALSE(read_external(folder_ / "model", "inside", 0, 8, 7));
  EXPECT_FALSE(read_external({}, "inside", 0, 8, 1000));
}

TEST_F(ExternalFiles, ThroughAModel) {
  const std::vector<std::pair<std::vector<std::pair<std::string, std::string>>, const char*>> cases = {
      {{{"location", "../outside"}}, "leaves the model's folder"},
      {{{"location", "/etc/passwd"}}, "absolute"},
      {{{"location", "link"}}, "symbolic link"},
      {{{"location", "inside"}, {"length", "7"}}, "needs 8 bytes"},
      {{{"location", "inside"}, {"offset", "4"}}, "wants 8 at 4"},
      {{{"location", "inside"}, {"offset", "99999999999999999999"}}, "no number"},
      {{{"location", "inside"}, {"offset", "-1"}}, "no number"},
      {{{"offset", "0"}}, "no path"},
  };
  for (const auto& [entries, message] : cases) {
    Model m = good_model();
    auto& tensor = m.initializer("bad", {2}, Proto::FLOAT);
    tensor.set_data_location(Proto::EXTERNAL);
    for (const auto& [key, value] : entries) {
      auto& entry = *tensor.add_external_data();
      entry.set_key(key), entry.set_value(value);
    }
    const auto imported = m.import(folder_ / "model");
    ASSERT_FALSE(imported) << message;
    EXPECT_THAT(imported.error().what, AllOf(HasSubstr("initializer \"bad\""), HasSubstr(message)));
  }
}

}  // namespace
}  // namespace fye
