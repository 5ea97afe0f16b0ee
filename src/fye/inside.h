// Between the library's interface (fye/fye.h) and the rooms: what the opaque classes hold, and the wall that
// no exception passes. Inside this room only; rooms' types are fye::Model, the interface's are Model.
#pragma once

// The rooms come first: below them the names in fye/fye.h are those of the interface.
#include "image/picture.h"
#include "runtime/model.h"

#define FYE_INSIDE 1
#include <exception>
#include <new>
#include <utility>

#include "fye/fye.h"

namespace fye::v0 {

struct Picture::State {
  fye::Picture picture;
};

struct Model::State {
  fye::Model model;
  std::filesystem::path file;
};

struct Access {
  static Picture make(fye::Picture&& picture) {
    return Picture(std::make_unique<Picture::State>(Picture::State{std::move(picture)}));
  }
  static const fye::Picture& of(const Picture& picture) { return picture.state_->picture; }
  static bool gone(const Picture& picture) { return !picture.state_; }
  static Model make(fye::Model&& model, std::filesystem::path file) {
    return Model(std::make_shared<const Model::State>(Model::State{std::move(model), std::move(file)}));
  }
  static const Model::State& of(const Model& model) { return *model.state_; }
};

namespace inside {
// The pixels as the rooms want them. Errors (usage): as Picture::copy.
Result<fye::Picture> to_picture(const Pixels& pixels);
}  // namespace inside

// Runs `body`, which gives a Result; what is thrown inside becomes an error.
template <class Body>
auto walled(const Body& body) noexcept -> decltype(body()) {
  try {
    return body();
  } catch (const std::bad_alloc&) {
    return resource_error("out of memory", "smaller pictures, a tile, fewer threads, or less beside fye");
  } catch (const std::exception& problem) {
    return internal_error(problem.what());
  } catch (...) {
    return internal_error("something was thrown that is no std::exception");
  }
}

}  // namespace fye::v0
