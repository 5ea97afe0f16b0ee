#include "cli/up_jobs.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <fstream>
#include <iostream>
#include <system_error>

#include "base/version.h"
#include "cli/output_name.h"
#include "image/file.h"

namespace fye {
namespace {

namespace fs = std::filesystem;

bool is_folder(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

Error needs_a_folder(const std::string& what) {
  return usage_error(what + " and no folder to put them in", "write: fye up small/*.jpg -o big/");
}

// Adds what one input stands for. `alone`: it is the only one, so a folder's own name is no part of the outputs'.
void gather(const std::string& input, bool alone, const WalkOptions& options, UpJobs& jobs, std::vector<Input>& files) {
  Result<Inputs> found = Inputs{};
  if (is_folder(input)) {
    found = walk(input, options);
    const fs::path name = fs::path(input).lexically_normal();
    const fs::path own = name.has_filename() ? name.filename() : name.parent_path().filename();
    if (found && !alone && own != "." && own != "..")
      for (Input& file : found->files) file.relative = own / file.relative;
  } else if (is_pattern(input)) {
    found = expand(input, options);
  } else {
    std::error_code ignored;
    if (fs::exists(input, ignored))
      found->files.push_back({input, fs::path(input).filename()});
    else
      found = bad_input(fmt::format("{}: there is no such file", input));
  }
  if (!found) {
    jobs.unusable.push_back(found.error());
    return;
  }
  files.insert(files.end(), found->files.begin(), found->files.end());
  jobs.ignored += found->ignored;
  jobs.notes.insert(jobs.notes.end(), found->notes.begin(), found->notes.end());
}

// The kind of file that is written: ".png", or a film's own.
std::string output_extension(const UpOptions& options, const Input& file, bool film) {
  if (film || options.in_place) return file.path.extension().string();
  if (!options.format.empty()) return "." + options.format;
  if (is_writable_picture(file.path)) return file.path.extension().string();
  // Another extension, or none: what the file is. A file that can't be read gets a name all the same, and fails when
  // its turn comes.
  const auto info = probe_picture(file.path);
  return !info || info->format == "png" ? ".png" : info->format == "jpeg" ? ".jpg" : info->format == "tiff" ? ".tif" : "." + info->format;
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

// All that an output's bytes depend on beside its input; threads, tiles and memory change none.
class SettingsOf {
 public:
  SettingsOf(const UpOptions& options, const UpSettings& settings) : options_(options), settings_(settings) {
    const Conventions& c = settings.model.conventions;
    shared_ = {{"fye", kVersion},
               {"model", settings.model.name},
               {"model_sha256", settings.model.graph.sha256},
               {"conventions", fmt::format("x{} {}..{} {}{}", c.scale, c.lo, c.hi,
                                           c.colour == Conventions::Colour::y ? "y" : "rgb",
                                           c.bicubic_first ? " bicubic" : "")},
               {"scale", settings.scale()},
               {"numbers", options.numbers}};
    fs::path calib = settings.model_file;
    calib.replace_extension(".calib.json");
    if (const auto digest = content_digest(calib)) shared_["calibration"] = *digest;
    if (!options.plan.empty())
      if (const auto digest = content_digest(options.plan)) shared_["plan"] = *digest;
    if (settings.deadline) shared_["deadline_ms"] = *settings.deadline;
  }

  Json of(const std::string& extension, bool film) const {
    Json json = shared_;
    const std::string kind = lower(extension);
    json["format"] = kind;
    if (film) {
      const FilmOptions& f = options_.film;
      json["film"] = {{"encoder", f.encoder}, {"crf", f.crf ? Json(*f.crf) : Json()}, {"preset", f.preset},
                      {"options", f.encoder_options}, {"leave_out", f.leave_out}, {"damaged", f.damaged}};
      return json;
    }
    if (kind == ".jpg" || kind == ".jpeg" || kind == ".webp") json["quality"] = options_.quality;
    if (options_.metadata != "keep") json["metadata"] = options_.metadata;
    if (options_.tta) json["tta"] = true;
    return json;
  }

 private:
  const UpOptions& options_;
  const UpSettings& settings_;
  Json shared_;
};

Result<std::vector<std::string>> listed(const std::string& name) {
  if (name == "-") return read_list(std::cin, "stdin");
  std::ifstream file(name, std::ios::binary);
  if (!file || is_folder(name)) return bad_input(fmt::format("{}: this list can't be read", name));
  return read_list(file, name);
}

Result<fs::path> output_folder(const UpOptions& options, const UpSettings& settings, const UpRequest& request) {
  const bool one_folder = request.inputs.size() == 1 && is_folder(request.inputs[0]) && options.list.empty();
  if (options.in_place) {
    if (!request.output.empty())
      return usage_error("--in-place: an output was given as well", "leave one of them out");
    if (!one_folder) return usage_error("--in-place takes one picture or one folder", "call it for each");
    return fs::path(request.inputs[0]);
  }
  if (request.output.empty()) {
    if (!one_folder) return needs_a_folder("several files");
    fs::path folder = fs::absolute(request.inputs[0]).lexically_normal();
    if (!folder.has_filename()) folder = folder.parent_path();
    return folder.parent_path() / fmt::format("{}_fye_x{}", folder.filename().string(), settings.scale());
  }
  std::error_code ignored;
  if (!is_folder(request.output) && (fs::exists(request.output, ignored) || has_media_extension(request.output))) {
    const std::string inputs = request.inputs.size() == 1 && is_folder(request.inputs[0]) ? request.inputs[0] + ": is a folder"
                                                                                         : "several files";
    return bad_input(fmt::format("{}, and {} names a single file", inputs, request.output.string()),
                     "give -o a folder");
  }
  return request.output;
}

}  // namespace

Result<UpRequest> request_of(const UpOptions& options) {
  UpRequest request;
  std::vector<std::string> files = options.files;
  if (!options.input.empty()) files.insert(files.begin(), options.input);
  if (files.empty() && options.list.empty())
    return usage_error("no picture was given", "write: fye up small.jpg -o big.png");
  request.by_option = !options.output.empty();
  request.output = options.output;
  if (!request.by_option && files.size() >= 2) {
    const std::string& last = files.back();
    if (files.size() == 2 || is_folder(last) || last.ends_with('/')) {
      request.output = last;
      files.pop_back();
    } else {
      return usage_error(
          fmt::format("one picture at a time without a folder to put them in, {} files were given", files.size()),
          "write: fye up small/*.jpg -o big/");
    }
  }
  request.inputs = std::move(files);
  const auto is_many = [](const std::string& input) { return is_folder(input) || is_pattern(input); };
  request.many = !options.list.empty() || request.inputs.size() > 1 ||
                 std::any_of(request.inputs.begin(), request.inputs.end(), is_many);
  if (request.many && (request.output == "-" || std::find(request.inputs.begin(), request.inputs.end(), "-") !=
                                                     request.inputs.end()))
    return usage_error("- is for one picture", "give file names and a folder");
  return request;
}

Result<UpJobs> jobs_of(const UpOptions& options, const UpSettings& settings, const UpRequest& request) {
  UpJobs jobs;
  auto folder = output_folder(options, settings, request);
  if (!folder) return folder.error();
  jobs.folder = *std::move(folder);
  std::vector<std::string> inputs = request.inputs;
  if (!options.list.empty()) {
    auto names = listed(options.list);
    if (!names) return names.error();
    inputs.insert(inputs.end(), names->begin(), names->end());
  }
  const WalkOptions how{options.recursive, options.in_place ? fs::path() : jobs.folder};
  std::vector<Input> files;
  for (const std::string& input : inputs) gather(input, inputs.size() == 1, how, jobs, files);
  const SettingsOf settings_for(options, settings);
  jobs.jobs.reserve(files.size());
  for (const Input& file : files) {
    Job job;
    job.input = file.path;
    job.film = is_film(file.path);
    const std::string extension = output_extension(options, file, job.film);
    fs::path name = file.relative;
    name.replace_filename(file.relative.stem().string() + options.suffix + extension);
    job.output = options.in_place ? job.input : jobs.folder / name;
    job.settings = settings_for.of(extension, job.film);
    jobs.jobs.push_back(std::move(job));
  }
  return jobs;
}

}  // namespace fye
