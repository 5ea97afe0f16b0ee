// Bicubic resampling: MATLAB's antialiased imresize, in the form the field's low-resolution sets were made
// with, and others.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "image/picture.h"

namespace fye {

// MATLAB's antialiased bicubic on 8-bit pictures as used for Set5, Set14, BSD100: rows first, rounded half up
// and clamped to 8 bit between the two passes, then columns, rounded again; edges clamped (spec/metrics.md,
// section 7; equal to all 157 files published with SelfExSR). picture.bits must be 8; any number of channels.
// Sizes >= 1.
Picture matlab_bicubic(const Picture& picture, int width, int height);

// The same kernel on 8- or 16-bit pictures without rounding between the passes (float32 inside, half to even
// at the end): what fye uses where looks count rather than equality with published sets. Colour is
// premultiplied by alpha for the passes.
Picture resample_bicubic(const Picture& picture, int width, int height);

// resample_bicubic row by row: the same samples, holding the few rows that one row of the result is made of.
class BicubicRows {
 public:
  // From a picture of this form to another size; sizes >= 1.
  BicubicRows(int width, int height, int channels, int bits, int out_width, int out_height);
  BicubicRows(BicubicRows&&) noexcept;
  ~BicubicRows();

  // Rows of the picture that must have been added before row `y` of the result can be made; grows with y.
  int rows_before(int y) const;
  // Adds the next row. All rows of the result that can be made must have been made first.
  void add(const uint8_t* row);
  // Makes the next row of the result, if enough rows have been added; false if not, or after the last.
  bool next(uint8_t* row);

  int added() const;
  int64_t bytes() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// MATLAB's own float form: edges reflected, nothing rounded.
Plane matlab_bicubic_reflect(const Plane& plane, int width, int height);

}  // namespace fye
