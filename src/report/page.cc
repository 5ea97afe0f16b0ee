// Tested by report/page_test.cc; in a browser by tests/report_browser_test.py.
#include "report/page.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <vector>

#include "quant/base64.h"
#include "report/page_files.h"

namespace fye {
namespace {

// As a content policy names a script: 'sha256-BASE64' (CSP level 3, section 2.3.1).
std::string source_of(const PageFile& file) {
  std::vector<uint8_t> digest;
  for (size_t i = 0; i + 1 < file.sha256.size(); i += 2)
    digest.push_back(uint8_t(std::stoi(std::string(file.sha256.substr(i, 2)), nullptr, 16)));
  return fmt::format("'sha256-{}'", to_base64(digest));
}

// Bytes that are no UTF-8 become U+FFFD, as the JSON library does it.
std::string valid_utf8(std::string_view text) {
  const std::string quoted = Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
  return Json::parse(quoted).get<std::string>();
}

std::string base64_of(std::string_view bytes) {
  return to_base64({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()});
}

std::string picture_html(const PagePicture& picture, bool with_bytes) {
  return fmt::format(
      "<img class=\"shot\" data-name=\"{}\" alt=\"{}\" width=\"{}\" height=\"{}\" src=\"data:{};base64,{}\">\n",
      escape_html(picture.name), escape_html(picture.about), picture.width, picture.height,
      escape_html(picture.type), with_bytes ? base64_of(picture.bytes) : "");
}

// The template with each {{name}} replaced by what `value` says, in one pass: values are not looked into.
std::string filled(std::string_view page, const std::function<std::string(std::string_view)>& value) {
  std::string text;
  while (true) {
    const size_t begin = page.find("{{"), end = page.find("}}", begin);
    if (begin == page.npos || end == page.npos) return text.append(page);
    text.append(page.substr(0, begin));
    text += value(page.substr(begin + 2, end - begin - 2));
    page.remove_prefix(end + 2);
  }
}

std::string page(const Json& data, std::span<const PagePicture> pictures, bool with_bytes) {
  return filled(kPageHtml, [&](std::string_view name) -> std::string {
    if (name == "policy") return escape_html(content_policy());
    if (name == "title") return escape_html(data.value("title", ""));
    if (name == "style") return std::string(kPageStyle.text);
    if (name == "charts") return std::string(kPageCharts.text);
    if (name == "script") return std::string(kPageScript.text);
    if (name == "data") return json_island(data);
    std::string shots;
    for (const PagePicture& picture : pictures) shots += picture_html(picture, with_bytes);
    return shots;
  });
}

}  // namespace

std::string content_policy() {
  return fmt::format(
      "default-src 'none'; script-src {} {}; style-src {}; img-src data:; base-uri 'none'; form-action 'none'",
      source_of(kPageCharts), source_of(kPageScript), source_of(kPageStyle));
}

std::string escape_html(std::string_view text) {
  std::string escaped;
  for (const char c : valid_utf8(text)) {
    switch (c) {
      case '&': escaped += "&amp;"; break;
      case '<': escaped += "&lt;"; break;
      case '>': escaped += "&gt;"; break;
      case '"': escaped += "&quot;"; break;
      case '\'': escaped += "&#39;"; break;
      case '\0': escaped += "\xef\xbf\xbd"; break;  // HTML has no such character
      default: escaped += c;
    }
  }
  return escaped;
}

std::string json_island(const Json& data) {
  // In JSON these three occur inside strings alone, so that nothing else changes.
  std::string escaped;
  for (const char c : data.dump(-1, ' ', false, Json::error_handler_t::replace)) {
    switch (c) {
      case '<': escaped += "\\u003c"; break;
      case '>': escaped += "\\u003e"; break;
      case '&': escaped += "\\u0026"; break;
      default: escaped += c;
    }
  }
  return escaped;
}

std::string page_of(const Json& data, std::span<const PagePicture> pictures) {
  return page(data, pictures, true);
}

size_t page_bytes(const Json& data, std::span<const PagePicture> pictures) {
  return page(data, pictures, false).size();
}

}  // namespace fye
