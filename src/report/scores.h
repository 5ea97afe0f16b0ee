// Scores: the report's tables of quality - how good pictures are, and how true a plan is to its network.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "image/picture.h"

namespace fye {

struct NamedPicture {
  std::string name;
  const Picture* picture = nullptr;
};

// One row a score, one column a picture.
struct ScoreTable {
  std::string title;      // "Against big.png"
  std::string reference;  // the picture that the others are held against; empty: none
  int shave = 0;          // pixels left out on each side
  struct Row {
    std::string name, unit;
    bool higher_is_better = true, against_reference = false;
    std::vector<std::optional<double>> values;  // by column; unset: could not be had, or has no meaning there
    std::vector<bool> identical;                // no difference to the reference: an infinite PSNR
  };
  std::vector<std::string> columns;
  std::vector<Row> rows;
  std::vector<std::pair<std::string, std::string>> missing;  // score, why
};

// Every score of the table (quality/table.h) that can be had: all with a reference, which gets a column of its own for
// scores that look at one picture alone; those without one. `alone` false leaves the latter out. Errors: sizes differ
// (bad_input, names both), a shave that leaves nothing.
Result<ScoreTable> score_table(std::string title, const NamedPicture& reference, std::span<const NamedPicture> pictures,
                               int shave, bool alone = true);

Json json_of(const ScoreTable& table);

// The picture with normal noise of 3 grey levels (of 255), seeded: PIQE and LPIPS reward noise, so a picture that
// beats another by less than this one does has shown nothing (design.md, section 7).
Picture with_noise(const Picture& picture);

}  // namespace fye
