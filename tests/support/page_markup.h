#pragma once

#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <string>
#include <vector>

namespace sluice::testing_support {

inline std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++found;
  }
  return found;
}

/// What stands between the first `begin` and the `end` after it.
inline std::string between(const std::string& text, const std::string& begin,
                           const std::string& end) {
  const std::size_t from = text.find(begin);
  if (from == std::string::npos) return "";
  return text.substr(from + begin.size(), text.find(end, from) - from - begin.size());
}

inline const std::string kDataBegins = "<script type=\"application/json\" id=\"data\">";

/// What the page's scripts draw from.
inline nlohmann::ordered_json data_of(const std::string& page) {
  return nlohmann::ordered_json::parse(between(page, kDataBegins, "</script>"));
}

/// What is wrong with a page as markup, empty if nothing: elements that are not closed in order,
/// elements and attributes that the pages have no use for, scripts other than the page's two,
/// anything that is loaded.
inline std::string markup_fault(const std::string& page) {
  static const std::set<std::string> kElements = {
      "html",  "head",    "meta",    "title", "style", "body", "main", "header", "h1",
      "h2",    "p",       "dl",      "div",   "dt",    "dd",   "span", "strong", "noscript",
      "table", "section", "caption", "thead", "tbody", "tr",   "th",   "td",     "script"};
  static const std::set<std::string> kAttributes = {
      "lang", "charset", "http-equiv", "content", "name", "class", "scope", "id", "type"};
  static const std::regex kAttribute(R"re(\s+([A-Za-z0-9-]+)="([^"<>]*)")re");
  std::vector<std::string> open;
  const std::string doctype = "<!DOCTYPE html>\n";
  if (!page.starts_with(doctype)) return "no doctype";
  for (std::size_t at = doctype.size(); (at = page.find('<', at)) != std::string::npos;) {
    const std::size_t end = page.find('>', at);
    if (end == std::string::npos) return "a tag without end";
    const std::string tag = page.substr(at + 1, end - at - 1);
    at = end + 1;
    if (tag.starts_with("/")) {
      if (open.empty() || open.back() != tag.substr(1)) return "closes " + tag;
      open.pop_back();
      continue;
    }
    const std::string name = tag.substr(0, tag.find_first_of(" \n"));
    if (!kElements.contains(name)) return "element " + name;
    std::string rest = tag.substr(name.size());
    for (std::smatch found;
         std::regex_search(rest, found, kAttribute, std::regex_constants::match_continuous);) {
      if (!kAttributes.contains(found[1])) return "attribute " + found[1].str();
      rest = found.suffix();
    }
    if (!rest.empty()) return "what is no attribute: " + rest;
    if (name != "meta") open.push_back(name);
    if (name == "script") at = page.find("</script>", at);
  }
  if (!open.empty()) return "never closes " + open.back();
  if (count(page, "<script") != 2) return "has another script";
  std::string rest = page;
  const std::string svg = "http://www.w3.org/2000/svg";  // the name of a vocabulary, not a place
  rest.erase(rest.find(svg), svg.size());
  for (const std::string part : {"http:", "https:", "url(", "@import", "javascript:", "fetch("}) {
    if (rest.find(part) != std::string::npos) return "has " + part;
  }
  return "";
}

/// A name that would be markup or a script.
inline const std::string kAttack =
    "blk.0.x\"><script>document.title='owned'</script><img src=x onerror=alert(1)>'&lt;<!--";

}  // namespace sluice::testing_support
