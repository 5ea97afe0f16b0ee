// Encoders: which one for a film, with which settings, and opening it anew for every segment.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "av/colour.h"
#include "av/plan.h"

namespace fye::av {

struct EncoderWish {
  std::string name = "auto";
  std::optional<int> crf;
  std::string preset;
  std::map<std::string, std::string> options;
};

// Fills in encoder, format, encoder_options and appends to `notices` what the format loses. `source`: the
// film's format. The plan must have its sizes, bits and container. Errors: no such encoder here (says which
// there are), it has no crf or preset, the container can't hold it.
Status choose_encoder(const EncoderWish& wish, AVPixelFormat source, Plan& plan,
                      std::vector<std::string>& notices);

// Opened, with global headers where the container wants them. Errors: what the encoder says: a size it can't
// do, an option it doesn't know.
Result<Codec> open_encoder(const Plan& plan);

}  // namespace fye::av
