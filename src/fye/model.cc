#include "fye/inside.h"

namespace fye::v0 {

Model::Model(std::shared_ptr<const State> state) : state_(std::move(state)) {}

Result<Model> Model::load(const std::string& file_or_name, int scale, const Conventions& conventions) {
  return walled([&]() -> Result<Model> {
    auto file = file_or_name.empty() ? shipped_model_near(scale) : find_model(file_or_name);
    if (!file) return file.error();
    auto model =
        load_model(*file, {conventions.scale, conventions.range, conventions.colour, conventions.pre});
    if (!model) return model.error();
    return Access::make(*std::move(model), *std::move(file));
  });
}

const std::string& Model::name() const { return state_->model.name; }
const std::filesystem::path& Model::file() const { return state_->file; }
int Model::scale() const { return state_->model.conventions.scale; }
bool Model::int8() const { return state_->model.calib.has_value(); }
const std::string& Model::sha256() const { return state_->model.graph.sha256; }

Result<std::vector<ModelName>> models() {
  return walled([]() -> Result<std::vector<ModelName>> {
    std::vector<ModelName> names;
    for (ShippedModel& model : shipped_models())
      names.push_back({std::move(model.name), std::move(model.path), model.scale});
    return names;
  });
}

}  // namespace fye::v0
