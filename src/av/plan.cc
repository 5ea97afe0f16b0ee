#include "av/plan.h"

namespace fye::av {
namespace {

Json pair_of(AVRational r) { return {r.num, r.den}; }
AVRational rational(const Json& json) { return {json.at(0).get<int>(), json.at(1).get<int>()}; }

}  // namespace

Json to_json(const Plan& p) {
  return {{"video", p.video},
          {"width", p.width},
          {"height", p.height},
          {"out_width", p.out_width},
          {"out_height", p.out_height},
          {"bits", p.bits},
          {"channels", p.channels},
          {"time_base", pair_of(p.time_base)},
          {"frame_rate", pair_of(p.frame_rate)},
          {"aspect", pair_of(p.aspect)},
          {"format", av_get_pix_fmt_name(p.format)},
          {"matrix", p.colours.matrix},
          {"full", p.colours.full},
          {"siting", p.colours.chroma},
          {"range", p.range},
          {"primaries", p.primaries},
          {"transfer", p.transfer},
          {"space", p.space},
          {"chroma", p.chroma},
          {"encoder", p.encoder},
          {"container", p.container},
          {"encoder_options", p.encoder_options},
          {"threads", p.threads},
          {"copied", p.copied}};
}

Result<Plan> plan_from(const Json& j) try {
  Plan p;
  j.at("video").get_to(p.video);
  j.at("width").get_to(p.width);
  j.at("height").get_to(p.height);
  j.at("out_width").get_to(p.out_width);
  j.at("out_height").get_to(p.out_height);
  j.at("bits").get_to(p.bits);
  j.at("channels").get_to(p.channels);
  p.time_base = rational(j.at("time_base"));
  p.frame_rate = rational(j.at("frame_rate"));
  p.aspect = rational(j.at("aspect"));
  p.format = av_get_pix_fmt(j.at("format").get<std::string>().c_str());
  j.at("matrix").get_to(p.colours.matrix);
  j.at("full").get_to(p.colours.full);
  j.at("siting").get_to(p.colours.chroma);
  j.at("range").get_to(p.range);
  j.at("primaries").get_to(p.primaries);
  j.at("transfer").get_to(p.transfer);
  j.at("space").get_to(p.space);
  j.at("chroma").get_to(p.chroma);
  j.at("encoder").get_to(p.encoder);
  j.at("container").get_to(p.container);
  j.at("encoder_options").get_to(p.encoder_options);
  j.at("threads").get_to(p.threads);
  j.at("copied").get_to(p.copied);
  return p;
} catch (const Json::exception& problem) {
  return internal_error(std::string("a film's plan: ") + problem.what());
}

}  // namespace fye::av
