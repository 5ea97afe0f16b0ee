#include "import/model_import.h"

#include "import/ncnn/ncnn_import.h"
#include "import/onnx_import.h"

namespace fye {

Result<Imported> import_model(const std::filesystem::path& path, const ImportLimits& limits) {
  const auto extension = path.extension();
  if (extension == ".param") return import_ncnn(path, limits);
  if (extension == ".bin")
    return bad_input(path.string() + ": has weights but no layers", "give the .param file beside it");
  return import_onnx(path, limits);
}

}  // namespace fye
