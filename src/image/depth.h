// From 16 to 8 bits a sample.
#pragma once

#include "image/picture.h"

namespace fye {

// round(v / 257): 65535 becomes 255, and an 8-bit picture that was widened by 257 comes back as it was. An
// 8-bit picture is returned as it is.
Picture to_8_bit(Picture picture);

}  // namespace fye
