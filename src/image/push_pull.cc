// Tested by alpha_test.cc and bleed_rows_test.cc.
#include "image/push_pull.h"

#include <algorithm>
#include <cmath>

namespace fye {
namespace {

template <class Sample>
void colour_hidden_as(const float* cell, int width, int colours, Sample* pixel) {
  for (int x = 0; x < width; ++x, pixel += colours + 1, cell += colours + 1) {
    if (pixel[colours] != 0) continue;
    for (int c = 0; c < colours; ++c) pixel[c] = static_cast<Sample>(std::nearbyint(cell[c]));
  }
}

}  // namespace

Level make_level(int width, int height, int colours) {
  return {width, height, colours, std::vector<float>(size_t(width) * height * (colours + 1))};
}

void push_row(const float* fine, int width, int colours, float* coarse) {
  for (int x = 0; x < width; ++x, fine += colours + 1) {
    float* to = coarse + (x / 2) * (colours + 1);
    for (int c = 0; c <= colours; ++c) to[c] += fine[c];
  }
}

void push_end(float* coarse, int coarse_width, int colours) {
  for (int x = 0; x < coarse_width; ++x, coarse += colours + 1) {
    const float known = coarse[colours];
    if (known <= 1) continue;
    for (int c = 0; c <= colours; ++c) coarse[c] /= known;
  }
}

Level push(const Level& fine) {
  Level coarse = make_level((fine.width + 1) / 2, (fine.height + 1) / 2, fine.colours);
  for (int y = 0; y < fine.height; ++y) {
    push_row(fine.row(y), fine.width, fine.colours, coarse.row(y / 2));
    if (y % 2 == 1 || y + 1 == fine.height) push_end(coarse.row(y / 2), coarse.width, fine.colours);
  }
  return coarse;
}

int pull_neighbour(int y, int coarse_height) {
  return std::clamp(y / 2 + (y % 2 ? 1 : -1), 0, coarse_height - 1);
}

void pull_row(const float* near_row, const float* far_row, int width, int colours, float* fine) {
  const int coarse_width = (width + 1) / 2;
  for (int x = 0; x < width; ++x, fine += colours + 1) {
    if (fine[colours] > 0) continue;
    // The cell lies a quarter of a coarse cell off its parent's centre: 9/16, 3/16, 3/16, 1/16.
    const int across = std::clamp(x / 2 + (x % 2 ? 1 : -1), 0, coarse_width - 1);
    const float* near = near_row + (x / 2) * (colours + 1);
    const float* side = near_row + across * (colours + 1);
    const float* below = far_row + (x / 2) * (colours + 1);
    const float* corner = far_row + across * (colours + 1);
    for (int c = 0; c < colours; ++c) fine[c] = (9 * near[c] + 3 * side[c] + 3 * below[c] + corner[c]) / 16;
    fine[colours] = 1;
  }
}

void pull(const Level& coarse, Level& fine) {
  for (int y = 0; y < fine.height; ++y)
    pull_row(coarse.row(y / 2), coarse.row(pull_neighbour(y, coarse.height)), fine.width, fine.colours,
             fine.row(y));
}

void colour_hidden(const float* cells, int width, int colours, unsigned char* pixels) {
  colour_hidden_as(cells, width, colours, pixels);
}
void colour_hidden(const float* cells, int width, int colours, unsigned short* pixels) {
  colour_hidden_as(cells, width, colours, pixels);
}

}  // namespace fye
