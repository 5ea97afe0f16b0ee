// Tested by batch/decide_test.cc.
#include "batch/decide.h"

#include <fmt/format.h>

#include <system_error>

namespace fye {
namespace {

namespace fs = std::filesystem;

Decision skip(std::string reason = {}) { return {Action::skip, std::move(reason), {}}; }
Decision fail(Error error) { return {Action::fail, {}, std::move(error)}; }

// The record of `file` if it is still as fye left it.
const Record* own_product(const Manifest* manifest, const fs::path& file) {
  if (!manifest) return nullptr;
  const std::string key = key_in(*manifest, file);
  const Record* record = key.empty() ? nullptr : manifest->find(key);
  return record && record->output_stamp && record->output_stamp == stamp_of(file) ? record : nullptr;
}

// In place: fye had begun with another file than the one that is there now.
bool replaced_before(const Manifest* manifest, const fs::path& file) {
  const std::string key = manifest ? key_in(*manifest, file) : "";
  const Record* record = key.empty() ? nullptr : manifest->find(key);
  return record && !record->output_stamp && record->input_stamp != stamp_of(file);
}

// Touched, moved or copied files have another time or name and the same content. A stamp alone says little about
// another file: clocks of file systems tick in milliseconds.
bool same_input(const Record& record, const fs::path& input) {
  const auto stamp = stamp_of(input);
  if (!stamp || stamp->bytes != record.input_stamp.bytes) return false;
  if (stamp == record.input_stamp && record.input == input.string()) return true;
  const auto digest = content_digest(input);
  return digest && *digest == record.input_digest;
}

bool same_work(const Record& record, const Job& job) {
  return record.settings == settings_digest(job.settings) && same_input(record, job.input);
}

fs::path numbered(const fs::path& path, int number) {
  return path.parent_path() / fmt::format("{}_{}{}", path.stem().string(), number, path.extension().string());
}

// The first name that is free, or fye's own of the same work (then a skip).
Decision find_name(Job& job, const Manifest* manifest, const std::set<fs::path>& taken) {
  const fs::path wanted = job.output;
  constexpr int kMostNames = 10'000;
  for (int number = 2; number < kMostNames; ++number) {
    job.output = numbered(wanted, number);
    if (taken.count(job.output)) continue;
    if (const Record* record = own_product(manifest, job.output); record && same_work(*record, job)) return skip();
    std::error_code ignored;
    if (!fs::exists(fs::symlink_status(job.output, ignored))) return {};
  }
  return fail(usage_error(fmt::format("{}: {} names beside it are taken", wanted.string(), kMostNames)));
}

Decision decide_existing(Job& job, const Manifest* manifest, IfExists if_exists, const std::set<fs::path>& taken) {
  if (if_exists == IfExists::overwrite) return {};
  if (if_exists == IfExists::skip) return skip("is there already");
  const std::string name = job.output.string();
  if (if_exists == IfExists::error)
    return fail(usage_error(fmt::format("{}: is there already", name), "--if-exists says what to do about it"));
  const std::string key = manifest ? key_in(*manifest, job.output) : "";
  const Record* record = key.empty() ? nullptr : manifest->find(key);
  const bool own = record && (!record->output_stamp || own_product(manifest, job.output));
  if (own && record->output_stamp && same_work(*record, job)) return skip();
  if (if_exists == IfExists::rename) return find_name(job, manifest, taken);
  if (own) return {};
  return fail(usage_error(fmt::format("{}: is there already, and {}", name,
                                      record ? "was changed since fye made it" : "fye did not make it"),
                          "--if-exists skip, rename or overwrite goes on"));
}

}  // namespace

std::string key_in(const Manifest& manifest, const fs::path& file) {
  const fs::path relative =
      fs::path(file).lexically_normal().lexically_relative(fs::path(manifest.folder()).lexically_normal());
  const std::string key = relative.generic_string();
  return key.empty() || key == "." || key.starts_with("..") ? "" : key;
}

Decision decide(Job& job, const Manifest* manifest, IfExists if_exists, std::set<fs::path>& taken) {
  std::error_code ignored;
  const bool in_place = job.input == job.output;
  const bool again = in_place && if_exists == IfExists::overwrite;
  if (!again && own_product(manifest, job.input)) return skip("fye made it");
  if (in_place && !again && replaced_before(manifest, job.input))
    return skip("was replaced by a run that did not end; --if-exists overwrite enlarges it again");
  if (in_place) return {};
  if (fs::equivalent(job.input, job.output, ignored))
    return fail(usage_error(fmt::format("{}: is the input itself", job.output.string()),
                            "say --in-place to replace it, or give another folder or a --suffix"));
  Decision decision;
  if (taken.count(job.output)) {
    if (if_exists != IfExists::rename)
      return fail(usage_error(fmt::format("{}: two inputs go to this name", job.output.string()),
                              "--if-exists rename gives them different ones"));
    decision = find_name(job, manifest, taken);
  } else if (fs::exists(fs::symlink_status(job.output, ignored))) {
    decision = decide_existing(job, manifest, if_exists, taken);
  }
  if (decision.action != Action::fail) taken.insert(job.output);
  return decision;
}

}  // namespace fye
