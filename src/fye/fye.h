// fye as a library: a network is loaded, pictures in memory are made larger by it, under a deadline if there
// is one.
//
// Everything that can fail gives a Result (base/result.h): a value, or an error that says what is wrong and
// what to do; no exception leaves the library. Classes hide what they hold and may be moved. Functions are
// thread-safe; of a class it is said there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace fye {
// The name of this interface in the library's symbols; it changes when programs have to be compiled again.
// The library's own sources use the names below for other things too, so there it is not inline.
#ifndef FYE_INSIDE
inline
#endif
    namespace v0 {

// Of the library that is loaded: "0.1.0".
std::string version();

// Pixels in somebody's memory: rows from the top, samples of a pixel side by side, not linear (sRGB as files
// have it), alpha not premultiplied, 16-bit samples in the machine's byte order.
struct Pixels {
  const void* data = nullptr;
  int width = 0, height = 0;     // 1..65535 each, at most 268 million together
  int channels = 3;              // 1 grey, 2 grey + alpha, 3 RGB, 4 RGB + alpha
  int bits = 8;                  // of a sample: 8 or 16
  std::ptrdiff_t row_bytes = 0;  // from a row to the next, also negative; 0: rows follow each other
};

// A picture in memory of its own.
class Picture {
 public:
  // A copy. Errors (usage): sizes, channels or bits that can't be.
  static Result<Picture> copy(const Pixels& pixels);
  // PNG, JPEG, WebP or TIFF by its content; what the file says beside the pixels (ICC, EXIF, XMP) stays with
  // the picture. The first call starts libvips and narrows it, in the whole process, to these formats.
  static Result<Picture> read(const std::filesystem::path& file);

  Picture(Picture&&) noexcept;
  Picture& operator=(Picture&&) noexcept;
  ~Picture();

  // Valid as long as the picture lives, moved or not; rows follow each other.
  Pixels pixels() const;

  // The extension chooses the format; written complete or not at all. `quality` 1..100: of JPEG and WebP.
  // Gives a sentence for everything that the format could not keep.
  Result<std::vector<std::string>> write(const std::filesystem::path& file, int quality = 95) const;

 private:
  friend struct Access;
  struct State;
  explicit Picture(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// What the numbers of a network mean, for files that don't say so themselves.
struct Conventions {
  std::optional<int> scale;           // output pixels per input pixel
  std::optional<std::string> range;   // values of black..white: "0..255", "0..1" or "-1..1"
  std::optional<std::string> colour;  // "rgb", or "y": luma alone
  std::optional<std::string> pre;     // "none", or "bicubic": it wants the enlarged picture
};

// A network. Copies share it; may be used by several threads at once.
class Model {
 public:
  // A .onnx or ncnn .param file, or the name of a shipped network; empty: the shipped one for `scale` (0: the
  // one that is measured best). Errors: there is no such file or name; not a network that fye can run;
  // conventions are missing.
  static Result<Model> load(const std::string& file_or_name = {}, int scale = 0,
                            const Conventions& conventions = {});

  const std::string& name() const;
  const std::filesystem::path& file() const;
  int scale() const;                  // of the network itself
  bool int8() const;                  // it has an int8 calibration
  const std::string& sha256() const;  // of the network, by which profiles and plans know it

 private:
  friend struct Access;
  struct State;
  explicit Model(std::shared_ptr<const State> state);
  std::shared_ptr<const State> state_;
};

// The networks that fye brings along, or those in $FYE_MODELS.
struct ModelName {
  std::string name;
  std::filesystem::path file;
  int scale = 0;
};
Result<std::vector<ModelName>> models();

struct Options {
  int scale = 0;                 // 1..16; 0: the network's own
  std::string numbers = "auto";  // f32, bf16, int8, int8r16; auto: the fastest that loses at most 0.05 dB
  std::optional<double> deadline_ms =
      {};                           // the truest plan that takes no longer, from a book that plan() has made
  std::filesystem::path book = {};  // book.json, instead of the one that was kept
  int threads = 0;                  // 0: every core that the process may use
  int tile = 0;                     // edge in input pixels; 0: bands of the whole width
  std::int64_t memory_bytes = 0;    // 0: three quarters of what is free
  // From the calling thread, while a picture runs; may be empty, must not throw. How much of it is done,
  // 0..1; whether to end the run: true gives ErrorCode::interrupted.
  std::function<void(double)> progress = {};
  std::function<bool()> stop = {};
};

struct Report {
  std::string numbers;  // that it ran in; "plan": those of a plan
  int threads = 0, tile = 0;
  double prepare_ms = 0, run_ms = 0;
  bool late = false;                 // took longer than the deadline
  std::vector<std::string> notices;  // sentences: what differs from what was asked
};

struct Enlarged {
  Picture picture;  // with the channels, bits and metadata of the input
  Report report;
};

// A network prepared to run. What is prepared for a size is kept for the next picture of that size, so that a
// stream prepares once. Calls from several threads take turns.
class Upscaler {
 public:
  // Errors: options that can't be; numbers that the network or the machine can't do.
  static Result<Upscaler> create(const Model& model, const Options& options = {});
  Upscaler(Upscaler&&) noexcept;
  Upscaler& operator=(Upscaler&&) noexcept;
  ~Upscaler();

  // Errors: bad_input for pixels that can't be, or an output that is not finite; resources if the memory does
  // not suffice, with the least that would; deadline if no plan is that fast. The same bytes for any number
  // of threads.
  Result<Enlarged> run(const Pixels& pixels);
  Result<Enlarged> run(const Picture& picture);  // keeps the metadata too

 private:
  struct State;
  explicit Upscaler(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// Milliseconds of every unit of a network (a convolution with what belongs to it) on every processor of this
// machine.
struct Profile {
  struct Unit {
    std::string name;
    std::vector<double> ms;  // by processor; NaN where it can't run
  };
  int width = 0, height = 0, threads = 0;
  std::string cpu, isa;
  std::vector<std::string> processors;  // "cpu.f32", "cpu.int8", ...
  std::vector<Unit> units;
  std::vector<double> whole_ms;  // of all units on one processor, by processor; NaN where they can't
};

struct ProfileOptions {
  int threads = 0;      // 0: every core that the process may use
  double seconds = 60;  // about, 1..86400
  bool again = false;   // measure even if times are kept; else the same as `fye profile` keeps
  std::function<void(double)> progress =
      {};  // 0..1, from the calling thread; what it throws ends the measurement
};

// For pictures of width x height; nothing else should run meanwhile. Kept for plan().
Result<Profile> profile(const Model& model, int width, int height, const ProfileOptions& options = {});

// The plans worth having for a network, machine and size, ascending by time: which unit runs on which
// processor.
struct Book {
  struct Entry {
    double ms = 0, msef = 0;     // predicted: time, mean squared grey levels from the float network's picture
    std::vector<int> processor;  // by unit: index into processors
  };
  int width = 0, height = 0, threads = 0;
  std::vector<std::string> processors, units;
  std::vector<Entry> entries;

  // The truest one that takes no longer; nullptr: there is none.
  const Entry* at(double deadline_ms) const;
};

// By the times of profile() and the losses beside the model's file (`fye sensitivity` makes them; shipped
// networks have them). Kept for Options::deadline_ms. Errors: nothing is known about times or losses: says
// what to do.
Result<Book> plan(const Model& model, int width, int height, int threads = 0);

// PSNR, SSIM, PIQE by name ("psnr_y", ...) as `fye compare` prints them; infinite PSNR: equal. `shave` pixels
// are left out on each side. Errors: other sizes; pictures that are too small.
Result<std::map<std::string, double>> compare(const Pixels& original, const Pixels& other, int shave = 0);

}  // namespace v0
}  // namespace fye
