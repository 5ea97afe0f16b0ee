// Rows through a network against whole pictures: the same bits.
#include "runtime/network_rows.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "execute/testing_graphs.h"
#include "image/testing_pictures.h"
#include "runtime/network.h"

namespace fye {
namespace {

using Colour = Conventions::Colour;

// A network of two layers that keeps the size.
Graph same_size(int channels) {
  testing::Builder builder(channels, 3);
  return builder.take(builder.conv(builder.conv(0, 8, 3), channels, 3));
}

Model model_of(Graph graph, const Conventions& conventions) {
  Model model{.name = "test", .graph = std::move(graph), .conventions = conventions, .calib = {}};
  model.calib = testing::made_up_calib(model.graph);
  return model;
}

Picture by_rows(const Model& model, std::span<const Processor* const> placement, const Picture& in, int band,
                ThreadPool& threads) {
  const int scale = model.conventions.scale;
  Picture out(in.width * scale, in.height * scale, in.channels, in.bits);
  auto net = NetworkRows::prepare(model, placement, {.height = in.height, .width = in.width, .band = band},
                                  in.channels, in.bits);
  EXPECT_TRUE(net) << (net ? "" : net.error().text());
  if (!net) return {};
  const size_t in_row = in.bytes.size() / size_t(in.height), out_row = out.bytes.size() / size_t(out.height);
  int made = 0;
  for (int pass = 0; pass < net->passes(); ++pass) {
    while (net->added() < net->rows_before(pass)) net->add(&in.bytes[size_t(net->added()) * in_row]);
    const auto ok = net->run(pass, threads);
    EXPECT_TRUE(ok) << (ok ? "" : ok.error().text());
    RowWindow& rows = net->out();
    EXPECT_EQ(rows.first(), made);
    if (rows.end() > made)
      std::memcpy(&out.bytes[size_t(made) * out_row], rows.u8(made), size_t(rows.end() - made) * out_row);
    made = rows.end();
    rows.drop_before(made);
  }
  EXPECT_EQ(made, out.height);
  EXPECT_EQ(net->added(), in.height);
  return out;
}

RC_GTEST_PROP(NetworkRows, SameBitsAsWhole, ()) {
  const int kind = *rc::gen::inRange(0, 6);
  const Model model = [&] {
    switch (kind) {
      case 0:
        return model_of(testing::small_abpn(3), {.scale = 3});
      case 1:
        return model_of(testing::small_abpn(2, 20), {.scale = 2});
      case 2:
        return model_of(testing::small_abpn(2), {.scale = 2, .lo = -1, .hi = 1});
      case 3:
        return model_of(same_size(3), {.scale = 3, .bicubic_first = true});
      case 4:
        return model_of(same_size(1),
                        {.scale = 2, .lo = 0, .hi = 1, .colour = Colour::y, .bicubic_first = true});
      default:
        return model_of(same_size(3), {.scale = 2, .lo = -1, .hi = 1, .bicubic_first = true});
    }
  }();
  const int bits = *rc::gen::element(8, 16);
  const Picture in = testing::noise(*rc::gen::inRange(1, 70), *rc::gen::inRange(1, 90),
                                    *rc::gen::element(1, 3), bits, *rc::gen::arbitrary<unsigned>());
  const char* processor = *rc::gen::element("cpu.f32", "cpu.int8", "cpu.int8r16");
  const auto placement = everywhere(model.graph, *find_processor(processor, active_isa()));
  ThreadPool threads(*rc::gen::inRange(1, 4));
  auto network = Network::prepare(model, placement, {.height = in.height, .width = in.width});
  RC_ASSERT(network.ok());
  const int scale = model.conventions.scale;
  Picture whole(in.width * scale, in.height * scale, in.channels, in.bits);
  RC_ASSERT(network->run(in, whole, threads).ok());
  RC_ASSERT(by_rows(model, placement, in, *rc::gen::inRange(1, 40), threads).bytes == whole.bytes);
}

TEST(NetworkRows, MemoryIsThatOfRowsNotOfThePicture) {
  const Model model = model_of(testing::small_abpn(3), {.scale = 3});
  const auto placement = everywhere(model.graph, *find_processor("cpu.f32", active_isa()));
  const auto bytes = [&](int height) {
    return NetworkRows::prepare(model, placement, {.height = height, .width = 100, .band = 8}, 3, 8)->bytes();
  };
  EXPECT_EQ(bytes(200), bytes(20'000));
  EXPECT_LT(bytes(20'000), 4'000'000);
}

TEST(NetworkRows, ANetworkThatNeedsTheWholePictureIsRefused) {
  testing::Builder builder(3, 1);
  const Model model = model_of(builder.take(builder.global_average(builder.conv(0, 4, 3))), {.scale = 1});
  const auto placement = everywhere(model.graph, *find_processor("cpu.f32", active_isa()));
  const auto net = NetworkRows::prepare(model, placement, {.height = 20, .width = 20, .band = 4}, 3, 8);
  ASSERT_FALSE(net);
  EXPECT_EQ(net.error().code, ErrorCode::usage);
}

}  // namespace
}  // namespace fye
