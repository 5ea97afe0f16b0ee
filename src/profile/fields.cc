#include "profile/fields.h"

#include <fmt/format.h>

#include <cmath>

namespace fye {

Error FieldReader::wrong(const std::string& key, const std::string& what) const {
  return bad_input(fmt::format("{}: {}{}{}: {}", path_, where_, where_.empty() ? "" : ".", key, what),
                   fmt::format("docs/formats.md describes {}", document_));
}

Result<const Json*> FieldReader::field(const char* key) const {
  if (!json_->is_object()) return wrong("", "not an object");
  const auto found = json_->find(key);
  if (found == json_->end()) return wrong(key, "is missing");
  return &*found;
}

Result<std::string> FieldReader::text(const char* key) const {
  const auto value = field(key);
  if (!value) return value.error();
  if (!(*value)->is_string()) return wrong(key, fmt::format("{} is not a text", (*value)->dump()));
  return (*value)->get<std::string>();
}

Result<double> FieldReader::number(const char* key, double least, double most) const {
  const auto value = field(key);
  if (!value) return value.error();
  if (!(*value)->is_number()) return wrong(key, fmt::format("{} is not a number", (*value)->dump()));
  const double number = (*value)->get<double>();
  if (!(number >= least && number <= most))
    return wrong(key, fmt::format("{} is not between {} and {}", number, least, most));
  return number;
}

Result<int> FieldReader::whole(const char* key, int least, int most) const {
  const auto value = number(key, least, most);
  if (!value) return value.error();
  if (*value != std::floor(*value)) return wrong(key, fmt::format("{} is not a whole number", *value));
  return int(*value);
}

Result<const Json*> FieldReader::list(const char* key) const {
  static const Json kEmpty = Json::array();
  if (!json_->is_object()) return wrong("", "not an object");
  const auto found = json_->find(key);
  if (found == json_->end()) return &kEmpty;
  if (!found->is_array()) return wrong(key, "is not a list");
  return &*found;
}

Result<const Json*> FieldReader::object(const char* key) const {
  static const Json kEmpty = Json::object();
  if (!json_->is_object()) return wrong("", "not an object");
  const auto found = json_->find(key);
  if (found == json_->end()) return &kEmpty;
  if (!found->is_object()) return wrong(key, "is not an object");
  return &*found;
}

FieldReader FieldReader::inner(const std::string& where, const Json& json) const {
  FieldReader reader = *this;
  reader.where_ = where_.empty() ? where : where_ + "." + where;
  reader.json_ = &json;
  return reader;
}

Status check_head(const FieldReader& reader, int version, const std::string& graph_sha256) {
  const auto found = reader.whole("version", 0, 1 << 20);
  if (!found) return found.error();
  if (*found != version)
    return reader.wrong("version", fmt::format("is {}; this fye reads version {}", *found, version));
  const auto graph = reader.text("graph");
  if (!graph) return graph.error();
  if (!graph_sha256.empty() && *graph != graph_sha256)
    return reader.wrong(
        "graph", fmt::format("was made for another model file (sha256 {}, not {})", *graph, graph_sha256));
  return {};
}

}  // namespace fye
