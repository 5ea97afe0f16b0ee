// Tested by runtime/film_work_test.cc, and by tests/film_resume_test.py with a process killed at random
// moments.
#include "runtime/film_work.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <map>
#include <utility>

#include "import/sha256.h"

namespace fye {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kBlocks = 64, kBlockBytes = 64 << 10;
constexpr size_t kDigits = 12;  // of the digest in the folder's name

Error cannot_write(const fs::path& path) {
  const bool resources = errno == ENOSPC || errno == EDQUOT || errno == EMFILE;
  const char* hint = errno == ENOENT   ? "create the folder first"
                     : errno == ENOSPC ? "free some disk space"
                                       : "";
  return {resources ? ErrorCode::resources : ErrorCode::bad_input,
          fmt::format("{}: can't write: {}", path.string(), std::strerror(errno)), hint};
}

fs::path folder_of(const fs::path& file) {
  return file.has_parent_path() ? file.parent_path() : fs::path(".");
}

void sync_folder(const fs::path& folder) {
  const Descriptor directory(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory) fsync(directory.get());  // best effort: some file systems refuse it
}

std::string prefix_of(const fs::path& output) { return output.filename().string() + ".fye-"; }

// "000012-48.seg"
std::optional<std::pair<int64_t, int64_t>> numbers_of(const std::string& name) {
  int64_t number = 0, frames = 0;
  const char* end = name.data() + name.size();
  const auto first = std::from_chars(name.data(), end, number);
  if (first.ec != std::errc() || first.ptr == end || *first.ptr != '-') return std::nullopt;
  const auto second = std::from_chars(first.ptr + 1, end, frames);
  if (second.ec != std::errc() || std::string_view(second.ptr, size_t(end - second.ptr)) != ".seg" ||
      number < 0 || frames < 1)
    return std::nullopt;
  return std::pair(number, frames);
}

std::vector<FinishedSegment> finished_in(const fs::path& folder) {
  std::map<int64_t, FinishedSegment> found;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored))
    if (const auto numbers = numbers_of(entry.path().filename().string()))
      found[numbers->first] = {entry.path(), numbers->second};
  std::vector<FinishedSegment> segments;
  for (auto& [number, segment] : found) {
    if (number != int64_t(segments.size())) break;
    segments.push_back(std::move(segment));
  }
  return segments;
}

}  // namespace

Result<Json> film_digest(int fd) {
  struct stat info;
  if (fstat(fd, &info) != 0) return bad_input(fmt::format("can't be read: {}", std::strerror(errno)));
  std::string blocks;
  const int64_t last = std::max<int64_t>(0, info.st_size - kBlockBytes);
  for (int64_t i = 0; i < kBlocks; ++i) {
    std::string block(size_t(kBlockBytes), '\0');
    const ssize_t got = pread(fd, block.data(), block.size(), off_t(last * i / (kBlocks - 1)));
    if (got < 0) return bad_input(fmt::format("can't be read: {}", std::strerror(errno)));
    blocks.append(block, 0, size_t(got));
    if (last == 0) break;
  }
  return Json{{"bytes", int64_t(info.st_size)},
              {"changed", fmt::format("{}.{:09}", int64_t(info.st_mtim.tv_sec), info.st_mtim.tv_nsec)},
              {"sample_sha256", sha256_hex(blocks)}};
}

FilmWork::FilmWork(FilmWork&& other) noexcept
    : output_(std::move(other.output_)),
      folder_(std::exchange(other.folder_, {})),
      lock_(std::move(other.lock_)),
      segments_(std::move(other.segments_)) {}

FilmWork::~FilmWork() {
  std::error_code ignored;
  if (folder_.empty()) return;
  if (segments_.empty()) {
    fs::remove_all(folder_, ignored);
    return;
  }
  // What was begun is of no use to the next run.
  fs::remove(segment_part(int64_t(segments_.size())), ignored);
  fs::remove(film_part(), ignored);
}

Result<FilmWork> FilmWork::open(const fs::path& output, const Json& identity) {
  FilmWork work;
  work.output_ = output;
  const std::string manifest = identity.dump(2) + "\n";
  const fs::path folder = folder_of(output) / (prefix_of(output) + sha256_hex(manifest).substr(0, kDigits));
  if (mkdir(folder.c_str(), 0777) != 0 && errno != EEXIST) return cannot_write(output);
  work.lock_ = Descriptor(::open((folder / "lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666));
  if (!work.lock_) return cannot_write(folder);
  if (flock(work.lock_.get(), LOCK_EX | LOCK_NB) != 0)
    return resource_error(fmt::format("{}: another fye is at work on it", output.string()),
                          "wait until it is done, or give another output");
  work.folder_ = folder;
  work.segments_ = finished_in(folder);
  std::error_code problem;
  if (!fs::exists(folder / "manifest.json", problem))
    if (auto written = write_json(folder / "manifest.json", identity); !written) return written.error();
  return work;
}

int64_t FilmWork::frames() const {
  int64_t sum = 0;
  for (const FinishedSegment& segment : segments_) sum += segment.frames;
  return sum;
}

fs::path FilmWork::segment_part(int64_t number) const { return folder_ / fmt::format("{:06}.part", number); }
fs::path FilmWork::film_part() const { return folder_ / ("film" + output_.extension().string()); }

Result<Descriptor> FilmWork::begin_segment(int64_t number) {
  const fs::path path = segment_part(number);
  Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  if (!file) return cannot_write(path);
  return file;
}

Status FilmWork::finish_segment(int64_t number, int64_t frames) {
  if (number != int64_t(segments_.size())) return internal_error("a segment of a film out of turn");
  const fs::path path = folder_ / fmt::format("{:06}-{}.seg", number, frames);
  if (std::rename(segment_part(number).c_str(), path.c_str()) != 0) return cannot_write(path);
  sync_folder(folder_);
  segments_.push_back({path, frames});
  return {};
}

void FilmWork::drop_segment(int64_t number) {
  if (number < 0 || number >= int64_t(segments_.size())) return;
  std::error_code ignored;
  fs::remove(segments_[size_t(number)].path, ignored);
  segments_.resize(size_t(number));
}

Result<Descriptor> FilmWork::begin_film() {
  Descriptor file(::open(film_part().c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  if (!file) return cannot_write(film_part());
  return file;
}

Status FilmWork::finish_film() {
  {
    const Descriptor file(::open(film_part().c_str(), O_RDONLY | O_CLOEXEC));
    if (!file || fsync(file.get()) != 0) return cannot_write(output_);
  }
  if (std::rename(film_part().c_str(), output_.c_str()) != 0) return cannot_write(output_);
  sync_folder(folder_of(output_));
  std::error_code ignored;
  fs::remove_all(std::exchange(folder_, {}), ignored);
  // Unfinished runs with other settings were for this output too; but not one that is at work.
  std::vector<fs::path> others;
  for (const auto& entry : fs::directory_iterator(folder_of(output_), ignored))
    if (entry.path().filename().string().starts_with(prefix_of(output_)) && entry.is_directory(ignored))
      others.push_back(entry.path());
  for (const fs::path& other : others) {
    const Descriptor lock(::open((other / "lock").c_str(), O_RDWR | O_CLOEXEC));
    if (lock && flock(lock.get(), LOCK_EX | LOCK_NB) == 0) fs::remove_all(other, ignored);
  }
  return {};
}

}  // namespace fye
