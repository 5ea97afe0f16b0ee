// Why two lines an output: the first is on the disk before the output can be, so that what a crash leaves under a final
// name (always complete: base/file.h) is known to be fye's own and is made again. The second needs no fsync: losing it
// only costs making that output once more. Tested by batch/manifest_test.cc.
#include "batch/manifest.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <system_error>
#include <unordered_map>

#include "base/file.h"
#include "import/sha256.h"

namespace fye {
namespace {

namespace fs = std::filesystem;

constexpr int kVersion = 1;
constexpr int64_t kLargestManifest = int64_t{1} << 30;  // two million outputs
constexpr int64_t kHashedWhole = int64_t{64} << 20, kHashedPart = int64_t{8} << 20;

class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

bool is_utf8(const std::string& text) {
  try {
    (void)Json(text).dump();
    return true;
  } catch (const Json::exception&) {
    return false;
  }
}

// File names are bytes, JSON is UTF-8: where they are not, bytes above ASCII become %XX, as '%' always does.
std::string to_json_text(const std::string& name) {
  const bool utf8 = is_utf8(name);
  std::string text;
  for (const char c : name) {
    if (c == '%' || (!utf8 && static_cast<unsigned char>(c) >= 0x80))
      text += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    else
      text += c;
  }
  return text;
}

std::string from_json_text(const std::string& text) {
  std::string name;
  for (size_t i = 0; i < text.size(); ++i) {
    unsigned value = 0;
    if (text[i] == '%' && i + 2 < text.size() &&
        std::from_chars(&text[i + 1], &text[i + 3], value, 16).ptr == &text[i + 3]) {
      name += static_cast<char>(value);
      i += 2;
    } else {
      name += text[i];
    }
  }
  return name;
}

std::string line_of(const Record& record) {
  Json json = {{"output", to_json_text(record.output)},
               {"input", to_json_text(record.input)},
               {"bytes", record.input_stamp.bytes},
               {"changed_ns", record.input_stamp.changed_ns},
               {"sha256", record.input_digest},
               {"settings", record.settings}};
  if (record.output_stamp) {
    json["output_bytes"] = record.output_stamp->bytes;
    json["output_changed_ns"] = record.output_stamp->changed_ns;
  }
  return json.dump() + "\n";
}

std::string first_line() { return Json{{"fye_manifest", kVersion}}.dump() + "\n"; }

bool has_text(const Json& json, const char* key) { return json.contains(key) && json[key].is_string(); }
bool has_number(const Json& json, const char* key) { return json.contains(key) && json[key].is_number_integer(); }

std::optional<Record> record_of(const Json& json) {
  if (!has_text(json, "output") || !has_text(json, "input") || !has_number(json, "bytes") ||
      !has_number(json, "changed_ns") || !has_text(json, "sha256") || !has_text(json, "settings"))
    return {};
  Record record{from_json_text(json["output"]), from_json_text(json["input"]), {json["bytes"], json["changed_ns"]},
                json["sha256"], json["settings"], {}};
  if (has_number(json, "output_bytes") && has_number(json, "output_changed_ns"))
    record.output_stamp = Stamp{json["output_bytes"], json["output_changed_ns"]};
  return record;
}

Status write_all(int fd, std::string_view bytes, const fs::path& path) {
  while (!bytes.empty()) {
    const ssize_t put = write(fd, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return write_failure(path);
    bytes.remove_prefix(size_t(put));
  }
  return {};
}

Result<std::string> part(int fd, const fs::path& path, int64_t at, int64_t bytes) {
  std::string text(size_t(bytes), '\0');
  size_t done = 0;
  while (done < text.size()) {
    const ssize_t got = pread(fd, text.data() + done, text.size() - done, off_t(at) + off_t(done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return bad_input(fmt::format("{}: can't read: {}", path.string(), std::strerror(errno)));
    if (got == 0) break;
    done += size_t(got);
  }
  text.resize(done);
  return text;
}

}  // namespace

std::optional<Stamp> stamp_of(const fs::path& path) {
  struct stat info;
  if (stat(path.c_str(), &info) != 0) return {};
  return Stamp{info.st_size, int64_t{info.st_mtim.tv_sec} * 1'000'000'000 + info.st_mtim.tv_nsec};
}

Result<std::string> content_digest(const fs::path& path) {
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat info;
  if (file.get() < 0 || fstat(file.get(), &info) != 0)
    return bad_input(fmt::format("{}: can't read: {}", path.string(), std::strerror(errno)));
  const int64_t size = info.st_size;
  if (size <= kHashedWhole) {
    const auto text = part(file.get(), path, 0, size);
    if (!text) return text.error();
    return sha256_hex(*text);
  }
  std::string parts = fmt::format("{}\n", size);
  for (const int64_t at : {int64_t{0}, size / 2, size - kHashedPart}) {
    const auto text = part(file.get(), path, at, kHashedPart);
    if (!text) return text.error();
    parts += sha256_hex(*text) + "\n";
  }
  return sha256_hex(parts);
}

std::string settings_digest(const Json& settings) { return sha256_hex(settings.dump()); }

struct Manifest::State {
  fs::path folder;
  Descriptor lock, append;
  std::unordered_map<std::string, Record> records;
  std::unordered_map<std::string, std::optional<Record>> before;  // what begin() replaced
  std::map<std::string, Json> settings;

  fs::path file() const { return folder / kManifestName; }

  Status read() {
    std::error_code ignored;
    if (!fs::exists(file(), ignored)) return {};
    const auto text = read_file(file(), kLargestManifest);
    if (!text) return text.error();
    for (size_t at = 0; at < text->size();) {
      const size_t end = std::min(text->find('\n', at), text->size());
      const Json json = Json::parse(text->begin() + long(at), text->begin() + long(end), nullptr, false);
      at = end + 1;
      if (!json.is_object()) continue;
      if (has_number(json, "fye_manifest") && json["fye_manifest"] > kVersion)
        return bad_input(fmt::format("{}: was written by a newer fye", file().string()),
                         "use that one, or another output folder");
      if (has_text(json, "means_settings") && json.contains("settings")) {
        settings[json["means_settings"]] = json["settings"];
      } else if (has_text(json, "undone")) {
        records.erase(from_json_text(json["undone"]));
      } else if (auto record = record_of(json)) {
        std::string key = record->output;
        records.insert_or_assign(std::move(key), *std::move(record));
      }
    }
    return {};
  }
};

Manifest::Manifest(std::unique_ptr<State> state) : state_(std::move(state)) {}
Manifest::Manifest(Manifest&&) noexcept = default;
Manifest& Manifest::operator=(Manifest&&) noexcept = default;
Manifest::~Manifest() = default;

Result<Manifest> Manifest::open(const fs::path& folder) {
  auto state = std::make_unique<State>();
  state->folder = folder;
  state->lock = Descriptor(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (state->lock.get() < 0)
    return bad_input(fmt::format("{}: can't be read: {}", folder.string(), std::strerror(errno)));
  // Some network file systems have no locks; two runs at once are then the user's affair.
  if (flock(state->lock.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
    return resource_error(fmt::format("{}: another fye is at work in this folder", folder.string()),
                          "wait for it, or choose another output folder");
  if (auto ok = state->read(); !ok) return ok.error();
  return Manifest(std::move(state));
}

const fs::path& Manifest::folder() const { return state_->folder; }

const Record* Manifest::find(const std::string& output) const {
  const auto found = state_->records.find(output);
  return found == state_->records.end() ? nullptr : &found->second;
}

size_t Manifest::size() const { return state_->records.size(); }

Status Manifest::begin(std::span<const Record> records, const std::map<std::string, Json>& settings) {
  State& s = *state_;
  s.before.clear();
  for (const Record& record : records) {
    const Record* old = find(record.output);
    s.before[record.output] = old ? std::optional(*old) : std::nullopt;
  }
  for (const Record& record : records) s.records.insert_or_assign(record.output, record);
  for (const auto& [digest, means] : settings) s.settings.insert_or_assign(digest, means);
  std::map<std::string, const Record*> sorted;
  std::map<std::string, bool> used;
  for (const auto& [output, record] : s.records) {
    sorted[output] = &record;
    used[record.settings] = true;
  }
  std::string text = first_line();
  for (const auto& [digest, means] : s.settings)
    if (used.count(digest)) text += Json{{"means_settings", digest}, {"settings", means}}.dump() + "\n";
  for (const auto& [output, record] : sorted) text += line_of(*record);
  if (auto ok = write_file(s.file(), text); !ok) return ok;
  s.append = Descriptor(::open(s.file().c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
  if (s.append.get() < 0) return write_failure(s.file());
  return {};
}

Status Manifest::done(Record record) {
  State& s = *state_;
  const std::string line = line_of(record);
  std::string key = record.output;
  s.records.insert_or_assign(std::move(key), std::move(record));
  return write_all(s.append.get(), line, s.file());
}

Status Manifest::undo(const std::string& output) {
  State& s = *state_;
  if (const auto old = s.before.find(output); old != s.before.end() && old->second) return done(*old->second);
  s.records.erase(output);
  return write_all(s.append.get(), Json{{"undone", to_json_text(output)}}.dump() + "\n", s.file());
}

}  // namespace fye
