// Tested by alpha_test.cc.
#include "image/alpha.h"

#include <fmt/format.h>

#include <algorithm>

#include "image/push_pull.h"

namespace fye {
namespace {

template <class Sample>
void bleed(Picture& picture) {
  const int colours = picture.channels - 1;
  const auto row = [&](int y) {
    return reinterpret_cast<Sample*>(picture.bytes.data()) + size_t(y) * picture.width * picture.channels;
  };
  std::vector<Level> levels = {make_level(picture.width, picture.height, colours)};
  bool any_hidden = false, any_visible = false;
  for (int y = 0; y < picture.height; ++y)
    cells_of(row(y), picture.width, colours, levels[0].row(y), any_hidden, any_visible);
  if (!any_hidden || !any_visible) return;
  while (levels.back().width > 1 || levels.back().height > 1) levels.push_back(push(levels.back()));
  for (size_t i = levels.size() - 1; i > 0; --i) pull(levels[i], levels[i - 1]);
  for (int y = 0; y < picture.height; ++y) colour_hidden(levels[0].row(y), picture.width, colours, row(y));
}

template <class Sample>
void flatten(const Picture& picture, Picture& result) {
  const uint64_t top = sizeof(Sample) == 1 ? 255 : 65535;
  const int colours = result.channels;
  const Sample* in = reinterpret_cast<const Sample*>(picture.bytes.data());
  Sample* out = reinterpret_cast<Sample*>(result.bytes.data());
  for (size_t i = 0; i < size_t(picture.width) * picture.height; ++i, in += colours + 1) {
    const uint64_t alpha = in[colours];
    for (int c = 0; c < colours; ++c) {
      *out++ = static_cast<Sample>((in[c] * alpha + top * (top - alpha) + top / 2) / top);
    }
  }
}

// Copies `count` channels from channel `from` of one picture to channel `to` of another.
void copy_channels(const Picture& in, int from, Picture& out, int to, int count) {
  const size_t sample = in.bits / 8;
  const uint8_t* source = in.bytes.data() + from * sample;
  uint8_t* target = out.bytes.data() + to * sample;
  for (size_t i = 0; i < size_t(in.width) * in.height; ++i) {
    std::copy_n(source, count * sample, target);
    source += in.channels * sample;
    target += out.channels * sample;
  }
}

}  // namespace

Picture bleed_under_alpha(Picture picture) {
  if (!picture.has_alpha()) return picture;
  if (picture.bits == 16) {
    bleed<uint16_t>(picture);
  } else {
    bleed<uint8_t>(picture);
  }
  return picture;
}

SplitPicture split_alpha(Picture picture) {
  if (!picture.has_alpha()) return {std::move(picture), {}};
  const int colours = picture.channels - 1;
  SplitPicture split{Picture(picture.width, picture.height, colours, picture.bits),
                     Picture(picture.width, picture.height, 1, picture.bits)};
  copy_channels(picture, 0, split.colour, 0, colours);
  copy_channels(picture, colours, split.alpha, 0, 1);
  split.colour.metadata = std::move(picture.metadata);
  return split;
}

Result<Picture> join_alpha(Picture colour, const Picture& alpha) {
  if (colour.has_alpha() || alpha.channels != 1 || colour.width != alpha.width ||
      colour.height != alpha.height || colour.bits != alpha.bits) {
    return bad_input(fmt::format(
        "alpha of {}x{}, {} channels, {} bit does not fit colours of {}x{}, {} channels, {} bit", alpha.width,
        alpha.height, alpha.channels, alpha.bits, colour.width, colour.height, colour.channels, colour.bits));
  }
  Picture result(colour.width, colour.height, colour.channels + 1, colour.bits);
  copy_channels(colour, 0, result, 0, colour.channels);
  copy_channels(alpha, 0, result, colour.channels, 1);
  result.metadata = std::move(colour.metadata);
  return result;
}

Picture over_white(Picture picture) {
  if (!picture.has_alpha()) return picture;
  Picture result(picture.width, picture.height, picture.channels - 1, picture.bits);
  if (picture.bits == 16) {
    flatten<uint16_t>(picture, result);
  } else {
    flatten<uint8_t>(picture, result);
  }
  result.metadata = std::move(picture.metadata);
  return result;
}

}  // namespace fye
