// Ways in which pictures go bad, for the estimator to have seen: noise, blur, JPEG.
#pragma once

#include <filesystem>

#include "base/result.h"
#include "image/picture.h"
#include "learn/data.h"

namespace fye {

// All of 8-bit pictures without alpha, any number of channels.

// Gaussian noise of deviation `sigma` grey levels, each sample by itself, rounded and clipped.
Picture with_noise(const Picture& picture, double sigma, Random& random);

// Gaussian blur of deviation `sigma` pixels (window of 3 sigma on each side), edges repeated, rounded.
Picture blurred(const Picture& picture, double sigma);

// Written and read again as JPEG; `scratch` is the file's name for that moment. Errors: as write_picture.
Result<Picture> through_jpeg(const Picture& picture, int quality, const std::filesystem::path& scratch);

}  // namespace fye
