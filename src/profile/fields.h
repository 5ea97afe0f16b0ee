// Fields of the room's JSON files, read with an error that names the file, the place and the value.
#pragma once

#include <filesystem>
#include <string>

#include "base/json.h"
#include "base/result.h"

namespace fye {

// An object in a file. Copies are cheap: it points at `json`, which outlives it.
class FieldReader {
 public:
  FieldReader(const std::filesystem::path& path, std::string where, const Json& json, std::string document)
      : path_(path.string()), where_(std::move(where)), json_(&json), document_(std::move(document)) {}

  Error wrong(const std::string& key, const std::string& what) const;

  Result<std::string> text(const char* key) const;
  // Finite and between `least` and `most`.
  Result<double> number(const char* key, double least, double most) const;
  Result<int> whole(const char* key, int least, int most) const;
  // A list or an object; empty where the key is absent.
  Result<const Json*> list(const char* key) const;
  Result<const Json*> object(const char* key) const;
  FieldReader inner(const std::string& where, const Json& json) const;

 private:
  Result<const Json*> field(const char* key) const;

  std::string path_, where_;
  const Json* json_;
  std::string document_;
};

// The file's top object, of this version and, unless `graph_sha256` is empty, of this graph.
Status check_head(const FieldReader& reader, int version, const std::string& graph_sha256);

}  // namespace fye
