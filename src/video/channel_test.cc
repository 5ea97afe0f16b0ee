#include "video/channel.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <thread>

#include "video/shared_frames.h"

namespace fye {
namespace {

using std::chrono::milliseconds;

struct Ends {
  Channel ours, its;
  static Ends make() {
    auto pair = Channel::make_pair();
    EXPECT_TRUE(pair);
    return {Channel(std::move(pair->first)), Channel(std::move(pair->second))};
  }
};

RC_GTEST_PROP(Channel, MessagesArriveAsTheyWere, ()) {
  Ends ends = Ends::make();
  const MessageHead head = {.type = MessageType::frame,
                            .slot = *rc::gen::arbitrary<int32_t>(),
                            .pts = *rc::gen::arbitrary<int64_t>(),
                            .duration = *rc::gen::arbitrary<int64_t>(),
                            .number = *rc::gen::arbitrary<int64_t>()};
  const auto text = *rc::gen::arbitrary<std::string>();
  RC_ASSERT(bool(ends.ours.send(head, text)));
  const auto got = ends.its.receive();
  RC_ASSERT(got && *got);
  RC_ASSERT((*got)->type == head.type && (*got)->slot == head.slot && (*got)->pts == head.pts);
  RC_ASSERT((*got)->duration == head.duration && (*got)->number == head.number && (*got)->text == text);
}

TEST(Channel, LongTextsComeInParts) {
  Ends ends = Ends::make();
  std::string text(3 * kTextPart + 17, 'x');
  for (size_t i = 0; i < text.size(); ++i) text[i] = char('a' + i % 23);
  std::thread sender([&] { EXPECT_TRUE(ends.ours.send({.type = MessageType::done}, text)); });
  const auto got = ends.its.receive();
  sender.join();
  ASSERT_TRUE(got && *got);
  EXPECT_EQ((*got)->text, text);
}

TEST(Channel, TextsWithoutEndAreRefused) {
  Ends ends = Ends::make();
  std::thread sender(
      [&] { (void)ends.ours.send({.type = MessageType::done}, std::string(kMostText + 1, 'x')).ok(); });
  EXPECT_FALSE(ends.its.receive());
  ends.its = Channel(Descriptor());  // so that the sender ends too
  sender.join();
}

TEST(Channel, FilesTravelAlong) {
  Ends ends = Ends::make();
  int pipe_ends[2];
  ASSERT_EQ(pipe2(pipe_ends, O_CLOEXEC), 0);
  const Descriptor reading(pipe_ends[0]);
  {
    const Descriptor writing(pipe_ends[1]);
    ASSERT_TRUE(ends.ours.send({.type = MessageType::segment}, "with a file", writing.get()));
  }
  auto got = ends.its.receive();
  ASSERT_TRUE(got && *got && (*got)->file);
  ASSERT_EQ(write((*got)->file.get(), "hello", 5), 5);
  char bytes[5];
  ASSERT_EQ(read(reading.get(), bytes, 5), 5);
  EXPECT_EQ(std::string(bytes, 5), "hello");
}

TEST(Channel, SaysNothingInTime) {
  Ends ends = Ends::make();
  const auto got = ends.ours.receive(milliseconds(5));
  ASSERT_TRUE(got);
  EXPECT_FALSE(*got);
}

TEST(Channel, AnEndThatIsGoneIsAnError) {
  Ends ends = Ends::make();
  ASSERT_TRUE(ends.its.send({.type = MessageType::done}, "last words"));
  ends.its = Channel(Descriptor());
  const auto last = ends.ours.receive();
  ASSERT_TRUE(last && *last);
  EXPECT_EQ((*last)->text, "last words");
  EXPECT_FALSE(ends.ours.receive());
  EXPECT_FALSE(ends.ours.send({.type = MessageType::done}));
}

// Whatever bytes come: an error or a message, never a crash.
RC_GTEST_PROP(Channel, AnyBytesAreAnErrorOrAMessage, (const std::string& bytes)) {
  Ends ends = Ends::make();
  RC_PRE(!bytes.empty());
  RC_ASSERT(::send(ends.ours.fd(), bytes.data(), bytes.size(), 0) == ssize_t(bytes.size()));
  const auto got = ends.its.receive(milliseconds(1));
  RC_ASSERT(!got || bytes.size() >= sizeof(MessageHead));
}

TEST(Channel, AHeadThatLiesAboutItsTextIsRefused) {
  for (const uint32_t claimed : {1u, 5u, 7u, kTextPart + 1, ~0u}) {
    Ends ends = Ends::make();
    MessageHead head{.type = MessageType::done, .text_bytes = claimed};
    std::string bytes(reinterpret_cast<const char*>(&head), sizeof(head));
    bytes += "six by";
    ASSERT_EQ(::send(ends.ours.fd(), bytes.data(), bytes.size(), 0), ssize_t(bytes.size()));
    EXPECT_FALSE(ends.its.receive()) << claimed;
  }
}

TEST(SharedFrames, BothSidesSeeTheSame) {
  auto ours = SharedFrames::create(3, 5000);
  ASSERT_TRUE(ours);
  auto its = SharedFrames::open(Descriptor(dup(ours->fd())), 3, 5000);
  ASSERT_TRUE(its);
  for (int slot = 0; slot < 3; ++slot) {
    EXPECT_EQ(ours->slot(slot).size(), 5000u);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(ours->slot(slot).data()) % 64, 0u);
    EXPECT_THAT(its->slot(slot), ::testing::Each(0));
    std::fill(ours->slot(slot).begin(), ours->slot(slot).end(), uint8_t(slot + 1));
  }
  for (int slot = 0; slot < 3; ++slot) EXPECT_THAT(its->slot(slot), ::testing::Each(slot + 1));
}

TEST(SharedFrames, NeitherSideCanTakeTheMemoryAway) {
  const auto ours = SharedFrames::create(2, 100);
  ASSERT_TRUE(ours);
  EXPECT_NE(ftruncate(ours->fd(), 0), 0);
  EXPECT_NE(ftruncate(ours->fd(), 1 << 20), 0);
}

TEST(SharedFrames, SmallerMemoryThanClaimedIsRefused) {
  const auto ours = SharedFrames::create(2, 4096);
  ASSERT_TRUE(ours);
  EXPECT_FALSE(SharedFrames::open(Descriptor(dup(ours->fd())), 3, 4096));
  EXPECT_FALSE(SharedFrames::open(Descriptor(dup(ours->fd())), 2, 4097));
  EXPECT_FALSE(SharedFrames::open(Descriptor(dup(ours->fd())), 0, 4096));
  EXPECT_FALSE(SharedFrames::open(Descriptor(), 1, 1));
}

}  // namespace
}  // namespace fye
