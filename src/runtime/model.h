// Model: a network file with its conventions and, beside it, its int8 calibration.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "graph/calib.h"
#include "graph/graph.h"

namespace fye {

// What the numbers of a network mean (design.md, section 3: ONNX metadata_props, fye.*).
struct Conventions {
  enum class Colour { rgb, y };
  int scale = 0;                // output pixels per input pixel; for `bicubic_first` of the enlarged picture: the wanted scale
  float lo = 0, hi = 255;       // fye.range: 0..255, 0..1, -1..1
  Colour colour = Colour::rgb;  // y: luma through the net, chroma by bicubic
  bool bicubic_first = false;   // fye.pre = bicubic (SRCNN)
  std::map<std::string, double> loss_db;  // fye.loss_db.int8 = 0.03: PSNR lost against f32, from the model's card
};

// The conventions that stand in a file; fields given by the user (flags) replace them.
struct ConventionFlags {
  std::optional<int> scale;
  std::optional<std::string> range, colour, pre;
};

struct Model {
  std::string name;  // "abpn_x3"
  Graph graph;       // fused
  Conventions conventions;
  std::optional<Calib> calib;  // from NAME.calib.json beside the file, or from the file's own QDQ nodes
};

// Reads NAME.onnx (or ncnn's NAME.param and NAME.bin) and NAME.calib.json. Errors: as import_model; conventions neither in the file nor given: the error prints
// the flags to give.
Result<Model> load_model(const std::filesystem::path& path, const ConventionFlags& flags = {});

// Where `fye models install` puts networks: the folder `installed` of user_model_folder() (base/model_folders.h).
Result<std::filesystem::path> installed_model_folder();

// The models that have a name: the upscaling networks of the first of model_folders() that has any (`shipped`), then
// those of user_model_folder() and of installed_model_folder(); of two with one name the first.
struct ShippedModel {
  std::string name;
  std::filesystem::path path;
  int scale = 0;
  bool shipped = true;
};
std::vector<ShippedModel> shipped_models();

// By name, of any of them. Errors: there is none of that name; says what there is.
Result<std::filesystem::path> shipped_model(const std::string& name);

// The shipped model for a scale (0: the one that is measured best); else the smallest that is large enough; else
// the largest. What the user installed is never chosen so. Errors: there is none at all.
Result<std::filesystem::path> shipped_model_near(int scale);

// A path if there is something at it or it looks like one; else a model's name.
Result<std::filesystem::path> find_model(const std::string& file_or_name);

}  // namespace fye
