// bleed_under_alpha is push-pull (Gortler and others, "The Lumigraph", SIGGRAPH 1996, section 3.4.2): the
// visible colours are averaged into levels of half size until every cell has one, then unknown cells take the
// colour of the level above, interpolated between its four nearest cells. Tested by alpha_test.cc.
#include "image/alpha.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace fye {
namespace {

// One level: cells of a colour and whether it is known (1 or 0).
struct Level {
  int width, height, colours;
  std::vector<float> values;  // colours + 1 a cell
  float* cell(int y, int x) { return &values[(size_t(y) * width + x) * (colours + 1)]; }
  const float* cell(int y, int x) const { return &values[(size_t(y) * width + x) * (colours + 1)]; }
};

Level make_level(int width, int height, int colours) {
  return {width, height, colours, std::vector<float>(size_t(width) * height * (colours + 1))};
}

// 2 x 2 cells make one: the mean of those that are known.
Level push(const Level& fine) {
  Level coarse = make_level((fine.width + 1) / 2, (fine.height + 1) / 2, fine.colours);
  for (int y = 0; y < fine.height; ++y) {
    for (int x = 0; x < fine.width; ++x) {
      const float* from = fine.cell(y, x);
      float* to = coarse.cell(y / 2, x / 2);
      for (int c = 0; c <= fine.colours; ++c) to[c] += from[c];
    }
  }
  for (size_t at = 0; at < coarse.values.size(); at += coarse.colours + 1) {
    const float known = coarse.values[at + coarse.colours];
    if (known <= 1) continue;
    for (int c = 0; c <= coarse.colours; ++c) coarse.values[at + c] /= known;
  }
  return coarse;
}

// Fills the unknown cells of `fine` from `coarse`, in which all are known.
void pull(const Level& coarse, Level& fine) {
  for (int y = 0; y < fine.height; ++y) {
    for (int x = 0; x < fine.width; ++x) {
      float* to = fine.cell(y, x);
      if (to[fine.colours] > 0) continue;
      // The cell lies a quarter of a coarse cell off its parent's centre: 9/16, 3/16, 3/16, 1/16.
      const int across = std::clamp(x / 2 + (x % 2 ? 1 : -1), 0, coarse.width - 1);
      const int down = std::clamp(y / 2 + (y % 2 ? 1 : -1), 0, coarse.height - 1);
      const float* near = coarse.cell(y / 2, x / 2);
      const float* side = coarse.cell(y / 2, across);
      const float* below = coarse.cell(down, x / 2);
      const float* corner = coarse.cell(down, across);
      for (int c = 0; c < fine.colours; ++c)
        to[c] = (9 * near[c] + 3 * side[c] + 3 * below[c] + corner[c]) / 16;
      to[fine.colours] = 1;
    }
  }
}

template <class Sample>
void bleed(Picture& picture) {
  const int colours = picture.channels - 1;
  Sample* pixels = reinterpret_cast<Sample*>(picture.bytes.data());
  std::vector<Level> levels = {make_level(picture.width, picture.height, colours)};
  bool any_hidden = false, any_visible = false;
  for (size_t i = 0; i < size_t(picture.width) * picture.height; ++i) {
    const Sample* pixel = pixels + i * picture.channels;
    float* cell = &levels[0].values[i * (colours + 1)];
    const bool visible = pixel[colours] != 0;
    (visible ? any_visible : any_hidden) = true;
    for (int c = 0; c < colours; ++c) cell[c] = visible ? pixel[c] : 0.0f;
    cell[colours] = visible;
  }
  if (!any_hidden || !any_visible) return;
  while (levels.back().width > 1 || levels.back().height > 1) levels.push_back(push(levels.back()));
  for (size_t i = levels.size() - 1; i > 0; --i) pull(levels[i], levels[i - 1]);
  for (size_t i = 0; i < size_t(picture.width) * picture.height; ++i) {
    Sample* pixel = pixels + i * picture.channels;
    if (pixel[colours] != 0) continue;
    for (int c = 0; c < colours; ++c) {
      pixel[c] = static_cast<Sample>(std::nearbyint(levels[0].values[i * (colours + 1) + c]));
    }
  }
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
