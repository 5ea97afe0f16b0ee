// A folder for a test, gone with it. In memory where there is such a place: these tests wait for the disk thousands of
// times otherwise.
#pragma once

#include <cstdlib>
#include <filesystem>

namespace fye {

struct TestFolder {
  TestFolder() {
    std::error_code none;
    const std::filesystem::path memory = "/dev/shm";
    const auto base = std::filesystem::is_directory(memory, none) ? memory : std::filesystem::temp_directory_path();
    std::string name = (base / "fye_batch_XXXXXX").string();
    path = mkdtemp(name.data());
  }
  ~TestFolder() { std::filesystem::remove_all(path); }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;

  std::filesystem::path path;
};

}  // namespace fye
