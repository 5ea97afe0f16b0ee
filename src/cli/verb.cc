#include "cli/verb.h"

namespace fye {
namespace {

constexpr Verb kVerbs[] = {
    {"up", "make a picture larger", add_up},
    {"compare", "score pictures against an original (PSNR, SSIM, PIQE, LPIPS)", add_compare},
    {"resize", "make a small version of a picture by MATLAB's bicubic, as test sets are made", add_resize},
    {"models", "list the networks that are there, install what a score needs", add_models},
    {"calibrate", "work out a network's int8 scales from pictures", add_calibrate},
    {"profile", "time every unit of a network on every processor of this machine", add_profile},
    {"sensitivity", "measure what each unit loses in each number format", add_sensitivity},
    {"plan", "find the truest plan for a deadline, or the plans for all deadlines", add_plan},
    {"rival", "make the plan of MobiSR, uLayer or CoDL, to compare with", add_rival},
    {"ladder", "put plans of several networks on one scale of time and quality", add_ladder},
    {"run", "run a stream of pictures under a deadline", add_run},
    {"explain", "show a network's units and what runs each of them", add_explain},
    {"report", "make a page of what was enlarged, where the time went and what plans there are", add_report},
    {"export", "write a network as ONNX: float, int8, or by a plan", add_export},
    {"bench", "time a network, picture in memory to picture in memory", add_bench},
    {"doctor", "show what this machine can do", add_doctor},
};

}  // namespace

std::span<const Verb> verbs() { return kVerbs; }

}  // namespace fye
