// Signs in a network's maps that something went wrong: values that are not finite, and patches that are flat
// where the picture is not. Inside this room only.
#pragma once

#include <vector>

#include "graph/graph.h"
#include "kernels/map.h"
#include "runtime/pixel_rows.h"

namespace fye {

// Signs are looked for at the points of a grid of so many input pixels, at absolute places, so that tiles,
// bands and threads find the same ones. A patch that went flat is found for certain if it covers 40 x 32
// input pixels.
inline constexpr int kGuardCell = 32;

// A patch with less between its darkest and brightest sample, in 8-bit levels, may well come out flat.
inline constexpr float kPlainLevels = 10;

// Part of the picture, in input pixels, that a sign speaks of.
struct Suspect {
  Region region;
  int node = kNone;
  bool broken = false;  // NaN or infinity
};

// True if no value of an f32 or bf16 map is NaN or infinite; integers always are finite.
bool all_finite(const Map& map);

// Signs in rows of a node's output of map_height x map_width; `picture` is the network's input, of which some
// rows are held. NaN and infinity are looked for in one row and, where a pixel has many channels, one column
// of `step` input pixels: 4, or kGuardCell for nodes after which they spread. `silent`: zeros everywhere are
// no sign.
void find_suspects(int node, const Map& map, int map_height, int map_width, const PixelRows& picture,
                   int picture_height, int step, bool silent, std::vector<Suspect>& suspects);

// From the darkest to the brightest sample of a channel, the largest of any channel.
float range_of(const PixelRows& picture, const Region& region);

// Mean distance of the samples from their channel's mean, the largest of any channel.
float deviation_of(const PixelRows& picture, const Region& region);

// Mean distance, in levels, of two pictures of the same form.
float difference(const PixelRows& a, const PixelRows& b, const Region& region);

// All pixels equal.
bool is_flat(const PixelRows& picture, const Region& region);

}  // namespace fye
