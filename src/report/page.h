// Page: the report's data and pictures as one HTML file that asks nobody for anything.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/json.h"

namespace fye {

// A picture as the page carries it.
struct PagePicture {
  std::string name;   // "input", "result"
  std::string about;  // what it shows, for those who can't see it
  int width = 0, height = 0;
  std::string type;   // "image/webp"
  std::string bytes;  // the file
};

// A page without its pictures stays below this (users.md, U18).
inline constexpr size_t kMostPageBytes = 300'000;

// `data` is what report_data() makes. Texts may be anything: they become texts of the page and nothing else.
std::string page_of(const Json& data, std::span<const PagePicture> pictures);

// How many bytes of page_of() are not the pictures' own.
size_t page_bytes(const Json& data, std::span<const PagePicture> pictures);

// The parts of which page_of() is made, for tests: nothing but the page's own style and scripts and pictures inside
// the page; a text between tags or in quotes; JSON inside a script element. Bytes that are no UTF-8 become U+FFFD.
std::string content_policy();
std::string escape_html(std::string_view text);
std::string json_island(const Json& data);

}  // namespace fye
