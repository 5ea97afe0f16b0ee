// Losses: how far each unit's and each stored form's rounding moves the network's output away from the float
// network's; losses.json in memory and on disk (docs/formats.md).
//
// The unit is msef (execute/fidelity.h): mean squared grey levels of the output, on calibration pictures. The
// squared distance of a mixed plan is nearly the sum of these parts (findings-precision.md, sections 6, 10):
// each unit's own part (weights and arithmetic of its processor) and, for each tensor, the part of the form
// that its producer stores it in, or, where a reader converts it to a coarser form, the part of that.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "processors/form.h"

namespace fye {

struct UnitLoss {
  std::string unit;
  std::map<std::string, double> on;  // own part by processor name; what float loses is 0 and absent
};

struct TensorLoss {
  std::string tensor;
  std::map<Form, double> stored;  // for everybody who reads it, if its producer stores it in this form
  // By reading unit: if that unit alone reads it in this form. Absent units: as `stored`.
  std::map<std::string, std::map<Form, double>> read;
};

struct Losses {
  std::string graph_sha256;
  std::string pictures;  // digest of the pictures it was measured on
  std::string calib;     // method of the calibration: "honest", "naive", ...
  int crops = 0;
  std::vector<UnitLoss> units;  // in the order of units_of()
  std::vector<TensorLoss> tensors;
};

// Errors name the file, the field and the value: another graph (unless `graph_sha256` is empty), a part that
// is not finite or negative.
Result<Losses> read_losses(const std::filesystem::path& path, const std::string& graph_sha256);
Status write_losses(const std::filesystem::path& path, const Losses& losses);

}  // namespace fye
