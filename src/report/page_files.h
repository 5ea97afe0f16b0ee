// Page files: what src/report/page holds and Debian's Chart.js, inside the program; made by cmake/page.cmake.
#pragma once

#include <string_view>

namespace fye {

struct PageFile {
  std::string_view text, sha256;  // the digest of the text, in hex
};

extern const std::string_view kPageHtml;
extern const PageFile kPageStyle, kPageScript, kPageCharts;

}  // namespace fye
