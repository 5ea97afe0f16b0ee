// Push-pull (Gortler and others, "The Lumigraph", SIGGRAPH 1996, section 3.4.2): visible colours are averaged
// into levels of half size until every cell has one, then unknown cells take the colour of the level above.
// Inside this room only.
#pragma once

#include <cstddef>
#include <vector>

namespace fye {

// One level: cells of a colour and whether it is known (1 or 0).
struct Level {
  int width = 0, height = 0, colours = 0;
  std::vector<float> values;  // colours + 1 a cell
  size_t row_values() const { return size_t(width) * size_t(colours + 1); }
  float* row(int y) { return &values[size_t(y) * row_values()]; }
  const float* row(int y) const { return &values[size_t(y) * row_values()]; }
};

Level make_level(int width, int height, int colours);

// Adds a row of `width` fine cells into the coarse row of half the width; after the row's (one or) two fine
// rows, push_end turns sums into the means of what is known.
void push_row(const float* fine, int width, int colours, float* coarse);
void push_end(float* coarse, int coarse_width, int colours);

// 2 x 2 cells make one: the mean of those that are known.
Level push(const Level& fine);

// The row of the level above that a fine row `y` also looks at, beside y / 2.
int pull_neighbour(int y, int coarse_height);

// Fills the unknown cells of a row of `width` fine cells from two rows of the level above, in which all are
// known: row y / 2 and row pull_neighbour(y).
void pull_row(const float* near, const float* far, int width, int colours, float* fine);

// Fills the unknown cells of `fine` from `coarse`.
void pull(const Level& coarse, Level& fine);

// A row of `width` pixels of colours + 1 samples as cells of level 0: hidden ones unknown. Says whether there
// were hidden and visible ones.
template <class Sample>
void cells_of(const Sample* pixel, int width, int colours, float* cell, bool& any_hidden, bool& any_visible) {
  for (int x = 0; x < width; ++x, pixel += colours + 1, cell += colours + 1) {
    const bool visible = pixel[colours] != 0;
    (visible ? any_visible : any_hidden) = true;
    for (int c = 0; c < colours; ++c) cell[c] = visible ? float(pixel[c]) : 0.0f;
    cell[colours] = visible;
  }
}

// Hidden pixels take their cell's colour.
void colour_hidden(const float* cells, int width, int colours, unsigned char* pixels);
void colour_hidden(const float* cells, int width, int colours, unsigned short* pixels);

}  // namespace fye
