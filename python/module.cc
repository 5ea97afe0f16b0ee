// fye._core: the library (fye/fye.h) for Python - NumPy arrays in and out, the interpreter free to run other
// threads meanwhile. What people call is python/fye/__init__.py.
#include <pybind11/functional.h>
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>
#include <pybind11/stl/filesystem.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include "fye/fye.h"

namespace py = pybind11;

namespace {

// Raises fye.Error.
[[noreturn]] void raise(const fye::Error& error) {
  const py::object type = py::module_::import("fye._error").attr("Error");
  const py::object made = type(static_cast<int>(error.code), error.what, error.hint);
  PyErr_SetObject(type.ptr(), made.ptr());
  throw py::error_already_set();
}

template <class T>
T value_of(fye::Result<T> result) {
  if (!result) raise(result.error());
  return *std::move(result);
}

// `body()`, while other threads of Python run.
template <class Body>
auto freely(const Body& body) {
  auto result = [&] {
    const py::gil_scoped_release free;
    return body();
  }();
  return value_of(std::move(result));
}

struct Input {
  py::array array;  // keeps the pixels
  fye::Pixels pixels;
  bool flat = false;  // height x width, without an axis of channels
};

// Pixels where the array has them if samples and pixels follow each other (rows may lie anywhere), else a
// copy.
Input input_of(const py::object& object) {
  if (!py::isinstance<py::array>(object))
    raise(fye::usage_error("an image is a NumPy array, this is " +
                               std::string(py::str(py::type::handle_of(object).attr("__name__"))),
                           "numpy.asarray makes arrays of most things"));
  const auto given = py::reinterpret_borrow<py::array>(object);
  const py::dtype type = given.dtype();
  const auto bytes = type.itemsize();
  if (type.kind() != 'u' || (bytes != 1 && bytes != 2) || !type.attr("isnative").cast<bool>())
    raise(fye::usage_error("an image is an array of uint8 or uint16, this one is of " +
                               std::string(py::str(static_cast<py::handle>(type))),
                           "of floats in 0..1: numpy.rint(image * 255).astype(numpy.uint8)"));
  const bool flat = given.ndim() == 2;
  if (!flat && given.ndim() != 3)
    raise(fye::usage_error("an image has 2 or 3 dimensions, this one has " + std::to_string(given.ndim()),
                           "height x width, or height x width x channels"));
  const py::ssize_t channels = flat ? 1 : given.shape(2);
  if (channels < 1 || channels > 4)
    raise(fye::usage_error(
        "an image has 1 to 4 channels in its last dimension, this one has " + std::to_string(channels),
        "grey, grey + alpha, RGB or RGB + alpha; from planes: numpy.moveaxis(image, 0, -1)"));
  constexpr py::ssize_t kMostSide = 65535;  // fye::Pixels
  if (given.shape(0) > kMostSide || given.shape(1) > kMostSide || given.size() == 0)
    raise(fye::usage_error("an image can't have " + std::to_string(given.shape(1)) + " x " +
                               std::to_string(given.shape(0)) + " pixels",
                           "1 to 65535 a side"));
  const int width = static_cast<int>(given.shape(1)), height = static_cast<int>(given.shape(0));
  const py::ssize_t pixel = channels * bytes;
  const bool dense = (flat || channels == 1 || given.strides(2) == bytes) &&
                     (width == 1 || given.strides(1) == pixel) &&
                     (height == 1 || std::abs(given.strides(0)) >= pixel * width);
  Input input{
      dense ? given : py::array(py::module_::import("numpy").attr("ascontiguousarray")(given)), {}, flat};
  input.pixels = {input.array.data(),
                  width,
                  height,
                  static_cast<int>(channels),
                  static_cast<int>(8 * bytes),
                  height == 1 ? 0 : static_cast<std::ptrdiff_t>(input.array.strides(0))};
  return input;
}

// An array on the picture's own memory.
py::array array_of(fye::Picture picture, bool flat) {
  auto kept = std::make_unique<fye::Picture>(std::move(picture));
  const fye::Pixels p = kept->pixels();
  const py::capsule owner(kept.get(), [](void* it) { delete static_cast<fye::Picture*>(it); });
  kept.release();
  std::vector<py::ssize_t> shape = {p.height, p.width};
  if (!flat) shape.push_back(p.channels);
  return py::array(py::dtype(p.bits == 8 ? "uint8" : "uint16"), shape, p.data, owner);
}

// What is called from inside a run, with the interpreter held. What it raises ends the run and is raised
// again after it; so is Ctrl-C.
class Callbacks {
 public:
  explicit Callbacks(py::object progress) : progress_(std::move(progress)) {}

  bool stop() {
    const py::gil_scoped_acquire hold;
    if (!raised_ && PyErr_CheckSignals() != 0) raised_ = std::make_unique<py::error_already_set>();
    return raised_ != nullptr;
  }
  void at(double done) {
    const py::gil_scoped_acquire hold;
    if (raised_ || progress_.is_none()) return;
    try {
      progress_(done);
    } catch (py::error_already_set& error) {
      raised_ = std::make_unique<py::error_already_set>(error);
    }
  }
  // What was raised, for raise_again() below; nothing is left here.
  std::unique_ptr<py::error_already_set> take() { return std::move(raised_); }

 private:
  py::object progress_;
  std::unique_ptr<py::error_already_set> raised_;
};

void raise_again(const std::unique_ptr<py::error_already_set>& raised) {
  if (raised) throw *raised;
}

// One prepared network. Several threads take turns, and what a run's callbacks raise belongs to its turn.
class Upscaler {
 public:
  Upscaler(const fye::Model& model, int scale, std::string numbers, std::optional<double> deadline,
           std::filesystem::path book, int threads, int tile, std::int64_t memory, py::object progress)
      : calls_(std::move(progress)) {
    fye::Options options;
    options.scale = scale;
    options.numbers = std::move(numbers);
    options.deadline_ms = deadline;
    options.book = std::move(book);
    options.threads = threads;
    options.tile = tile;
    options.memory_bytes = memory;
    options.progress = [this](double done) { calls_.at(done); };
    options.stop = [this] { return calls_.stop(); };
    upscaler_ =
        std::make_unique<fye::Upscaler>(freely([&] { return fye::Upscaler::create(model, options); }));
  }

  std::pair<py::array, py::dict> run(const py::object& image) {
    const Input input = input_of(image);
    std::unique_ptr<py::error_already_set> raised;
    auto result = [&] {
      const py::gil_scoped_release free;
      const std::lock_guard<std::mutex> mine(turn_);
      auto run = upscaler_->run(input.pixels);
      raised = calls_.take();
      return run;
    }();
    raise_again(raised);
    fye::Enlarged made = value_of(std::move(result));
    const fye::Report& r = made.report;
    py::dict report(py::arg("numbers") = r.numbers, py::arg("threads") = r.threads, py::arg("tile") = r.tile,
                    py::arg("prepare_ms") = r.prepare_ms, py::arg("run_ms") = r.run_ms,
                    py::arg("late") = r.late, py::arg("notices") = r.notices);
    return {array_of(std::move(made.picture), input.flat), std::move(report)};
  }

 private:
  std::mutex turn_;
  Callbacks calls_;  // the upscaler's callbacks point here, so nothing here moves
  std::unique_ptr<fye::Upscaler> upscaler_;
};

py::dict profile(const fye::Model& model, int width, int height, int threads, double seconds, bool again,
                 py::object progress) {
  Callbacks calls(std::move(progress));
  fye::ProfileOptions options{.threads = threads, .seconds = seconds, .again = again, .progress = {}};
  options.progress = [&](double done) {
    calls.at(done);
    if (calls.stop()) throw std::runtime_error("stopped");  // ends the measurement
  };
  auto result = [&] {
    const py::gil_scoped_release free;
    return fye::profile(model, width, height, options);
  }();
  raise_again(calls.take());
  const fye::Profile p = value_of(std::move(result));
  py::list units;
  for (const fye::Profile::Unit& unit : p.units) units.append(py::make_tuple(unit.name, unit.ms));
  return py::dict(py::arg("width") = p.width, py::arg("height") = p.height, py::arg("threads") = p.threads,
                  py::arg("cpu") = p.cpu, py::arg("isa") = p.isa, py::arg("processors") = p.processors,
                  py::arg("units") = units, py::arg("whole_ms") = p.whole_ms);
}

py::dict plan(const fye::Model& model, int width, int height, int threads) {
  const fye::Book b = freely([&] { return fye::plan(model, width, height, threads); });
  py::list entries;
  for (const fye::Book::Entry& entry : b.entries)
    entries.append(py::make_tuple(entry.ms, entry.msef, entry.processor));
  return py::dict(py::arg("width") = b.width, py::arg("height") = b.height, py::arg("threads") = b.threads,
                  py::arg("processors") = b.processors, py::arg("units") = b.units,
                  py::arg("entries") = entries);
}

}  // namespace

PYBIND11_MODULE(_core, module) {
  module.def("version", &fye::version);
  module.def("models", [] {
    py::list names;
    for (const fye::ModelName& model : value_of(fye::models()))
      names.append(py::make_tuple(model.name, model.file.string(), model.scale));
    return names;
  });
  py::class_<fye::Model>(module, "Model")
      .def(py::init([](const std::string& file_or_name, int scale, std::optional<int> net_scale,
                       std::optional<std::string> range, std::optional<std::string> colour,
                       std::optional<std::string> pre) {
             return freely([&] {
               return fye::Model::load(file_or_name, scale, {net_scale, range, colour, pre});
             });
           }),
           py::arg("file_or_name"), py::arg("scale"), py::arg("net_scale"), py::arg("range"),
           py::arg("colour"), py::arg("pre"))
      .def_property_readonly("name", &fye::Model::name)
      .def_property_readonly("file", [](const fye::Model& model) { return model.file().string(); })
      .def_property_readonly("scale", &fye::Model::scale)
      .def_property_readonly("int8", &fye::Model::int8)
      .def_property_readonly("sha256", &fye::Model::sha256);
  py::class_<Upscaler>(module, "Upscaler")
      .def(py::init<const fye::Model&, int, std::string, std::optional<double>, std::filesystem::path, int,
                    int, std::int64_t, py::object>(),
           py::arg("model"), py::arg("scale"), py::arg("numbers"), py::arg("deadline"), py::arg("book"),
           py::arg("threads"), py::arg("tile"), py::arg("memory"), py::arg("progress"))
      .def("run", &Upscaler::run, py::arg("image"));
  module.def("profile", &profile, py::arg("model"), py::arg("width"), py::arg("height"), py::arg("threads"),
             py::arg("seconds"), py::arg("again"), py::arg("progress"));
  module.def("plan", &plan, py::arg("model"), py::arg("width"), py::arg("height"), py::arg("threads"));
  module.def(
      "compare",
      [](const py::object& original, const py::object& other, int shave) {
        const Input a = input_of(original), b = input_of(other);
        return freely([&] { return fye::compare(a.pixels, b.pixels, shave); });
      },
      py::arg("original"), py::arg("other"), py::arg("shave"));
}
