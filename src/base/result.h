// Result<T>: a value, or an error that says what is wrong, where, and what to do about it.
#pragma once

#include <cassert>
#include <string>
#include <utility>
#include <variant>

namespace fye {

// What kind of failure; the CLI's exit codes follow from it (docs/formats.md).
enum class ErrorCode {
  usage = 1,      // the call itself is wrong: unknown flag, contradicting options
  bad_input = 2,  // a file or value from outside can't be used
  partial = 3,    // some of the work was done
  deadline = 4,   // a deadline can't be or was not met
  resources = 5,  // memory, disk, threads
  internal = 6,   // our bug
  interrupted = 130,  // the user ended it (Ctrl-C) before there was a result
};

// One failure. `what` names the file, node or option and what was found and expected; `hint` says what to do (may be empty).
struct Error {
  ErrorCode code = ErrorCode::internal;
  std::string what;
  std::string hint;

  // One or two lines for a person.
  std::string text() const { return hint.empty() ? what : what + "\n  " + hint; }
};

inline Error bad_input(std::string what, std::string hint = {}) {
  return {ErrorCode::bad_input, std::move(what), std::move(hint)};
}
inline Error usage_error(std::string what, std::string hint = {}) {
  return {ErrorCode::usage, std::move(what), std::move(hint)};
}
inline Error resource_error(std::string what, std::string hint = {}) {
  return {ErrorCode::resources, std::move(what), std::move(hint)};
}
inline Error interrupted_error(std::string what) { return {ErrorCode::interrupted, std::move(what), {}}; }
inline Error internal_error(std::string what) {
  return {ErrorCode::internal, std::move(what), "this is a bug in fye; please report it with the command line"};
}

// Holds a T or an Error. Ask `if (!result)` before taking the value; taking the value of a failure is a bug of ours (assert).
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : data_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : data_(std::in_place_index<1>, std::move(error)) {}

  bool ok() const { return data_.index() == 0; }
  explicit operator bool() const { return ok(); }

  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(value()); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  const Error& error() const { return std::get<1>(data_); }

 private:
  T& value() {
    assert(ok());
    return *std::get_if<0>(&data_);
  }
  const T& value() const {
    assert(ok());
    return *std::get_if<0>(&data_);
  }
  std::variant<T, Error> data_;
};

// A Result without a value.
template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)), ok_(false) {}

  bool ok() const { return ok_; }
  explicit operator bool() const { return ok_; }
  const Error& error() const { return error_; }

 private:
  Error error_;
  bool ok_ = true;
};

using Status = Result<void>;

}  // namespace fye
