// Network, row by row: what Network::run makes of a picture, from rows that come to rows that go.
#pragma once

#include <memory>
#include <span>

#include "base/result.h"
#include "base/threads.h"
#include "execute/plain.h"
#include "runtime/model.h"
#include "runtime/row_window.h"

namespace fye {

// Same pictures and same bits as Network. Holds the maps of a band and the rows that it reads and writes.
class NetworkRows {
 public:
  // Grey or RGB rows (`channels` 1 or 3) of 8 or 16 bit. Errors: as Network::prepare; usage if the network
  // can't go by bands (a node needs the whole picture).
  static Result<NetworkRows> prepare(const Model& model, std::span<const Processor* const> placement,
                                     const ExecuteOptions& options, int channels, int bits);
  NetworkRows(NetworkRows&&) noexcept;
  ~NetworkRows();

  int passes() const;
  // Rows of the picture that must have been added before `pass` can run.
  int rows_before(int pass) const;
  int added() const;
  void add(const uint8_t* row);

  // The next pass: its rows of the larger picture are appended to out(), from which the caller drops them.
  Status run(int pass, ThreadPool& threads, const Observer* observer = nullptr,
             const StepDone* done = nullptr);
  RowWindow& out();

  // Planned memory with the windows of rows; weights not counted.
  int64_t bytes() const;

 private:
  struct State;
  explicit NetworkRows(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace fye
