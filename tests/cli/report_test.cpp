// `sluice report`: pages that hold what the report tells, load nothing and run nothing, whatever
// names the report has.

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <sstream>

#include "support/gguf_builder.h"
#include "support/needs.h"
#include "support/process.h"
#include "support/temp_folder.h"

namespace {

using namespace sluice::testing_support;
using Json = nlohmann::ordered_json;

std::string text_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++found;
  }
  return found;
}

/// What is wrong with a page as markup, empty if nothing: elements that are not closed in order,
/// elements and attributes that the pages have no use for, anything that is loaded.
std::string markup_fault(const std::string& page) {
  static const std::set<std::string> kElements = {
      "html", "head", "meta",    "title",   "style", "body", "main", "h1",     "h2",   "h3",
      "p",    "div",  "table",   "thead",   "tbody", "tr",   "th",   "td",     "ul",   "li",
      "svg",  "desc", "details", "summary", "line",  "rect", "path", "circle", "text", "polyline"};
  static const std::set<std::string> kAttributes = {
      "lang",    "charset",    "http-equiv",  "content", "name",       "class", "role",
      "viewBox", "aria-label", "aria-hidden", "scope",   "colspan",    "x",     "y",
      "x1",      "y1",         "x2",          "y2",      "cx",         "cy",    "r",
      "d",       "width",      "height",      "points",  "text-anchor"};
  static const std::regex kAttribute(R"re(\s+([A-Za-z0-9-]+)="([^"<>]*)")re");
  std::vector<std::string> open;
  const std::string doctype = "<!DOCTYPE html>\n";
  if (!page.starts_with(doctype)) return "no doctype";
  for (std::size_t at = doctype.size(); (at = page.find('<', at)) != std::string::npos;) {
    const std::size_t end = page.find('>', at);
    if (end == std::string::npos) return "a tag without end";
    std::string tag = page.substr(at + 1, end - at - 1);
    at = end + 1;
    if (tag.starts_with("/")) {
      if (open.empty() || open.back() != tag.substr(1)) return "closes " + tag;
      open.pop_back();
      continue;
    }
    const bool closed = tag.ends_with("/");
    if (closed) tag.pop_back();
    const std::string name = tag.substr(0, tag.find_first_of(" \n"));
    if (!kElements.contains(name)) return "element " + name;
    std::string rest = tag.substr(name.size());
    for (std::smatch found;
         std::regex_search(rest, found, kAttribute, std::regex_constants::match_continuous);) {
      if (!kAttributes.contains(found[1])) return "attribute " + found[1].str();
      rest = found.suffix();
    }
    if (!rest.empty()) return "what is no attribute: " + rest;
    if (!closed && name != "meta") open.push_back(name);
  }
  if (!open.empty()) return "never closes " + open.back();
  for (const std::string part : {"http:", "https:", "url(", "@import", "javascript:"}) {
    if (page.find(part) != std::string::npos) return "has " + part;
  }
  return "";
}

const std::string kAttack =
    "blk.0.x\"><script>document.title='owned'</script><img src=x onerror=alert(1)>'&lt;";

class Report : public testing::Test {
 protected:
  Finished sluice(std::vector<std::string> words) {
    words.insert(words.begin(), SLUICE_PROGRAM);
    return run(words);
  }

  /// A report of 3 layers of 2 tensors, and what stands outside.
  static Json small_report() {
    Json tensors = Json::array();
    const auto add = [&](const std::string& name, const std::string& type, const Json& error) {
      tensors.push_back({{"name", name},
                         {"source", "bf16"},
                         {"type", type},
                         {"shape", {256, 4}},
                         {"bytes", 1000},
                         {"crc32", "0x00000000"},
                         {"weighted_error", error},
                         {"plain_error", error}});
    };
    add("token_embd.weight", "q2_k", 0.08);
    for (int layer = 0; layer < 3; ++layer) {
      const std::string prefix = "blk." + std::to_string(layer) + ".";
      add(prefix + "attn_q.weight", "q4_k", 0.004);
      add(prefix + "ffn_up.weight", "iq1_m", 0.2 + 0.01 * layer);
    }
    add("output_norm.weight", "bf16", 0);
    Json samples = Json::array();
    for (int i = 1; i <= 10; ++i) {
      samples.push_back({{"t", i * 0.5},
                         {"read", i * 1000000},
                         {"written", i * 100000},
                         {"weights", i * 1000},
                         {"limit", i < 6 ? "disk" : "cores"}});
    }
    return {{"wall_s", 5.0}, {"read_bytes", 10000000}, {"threads", 2},
            {"isa", "avx2"}, {"tensors", tensors},     {"samples", samples}};
  }

  /// The same with names that would be markup.
  static Json attack() {
    Json report = small_report();
    for (const char* field : {"name", "type", "source"}) report["tensors"][1][field] = kAttack;
    report["isa"] = kAttack;
    report["spindle"] = "shared";
    report["spindle_reason"] = kAttack + "\x1b[2J\xe2\x80\xae";
    report["samples"][2]["limit"] = kAttack;
    return report;
  }

  std::string page_of(const std::vector<Json>& reports) {
    std::vector<std::string> words{"report", "-o", page_};
    for (std::size_t i = 0; i < reports.size(); ++i) {
      words.push_back(folder_ / ("report" + std::to_string(i) + ".json"));
      std::ofstream(words.back()) << reports[i].dump(-1, ' ', false,
                                                     Json::error_handler_t::replace);
    }
    const Finished done = sluice(words);
    EXPECT_EQ(done.status, 0) << done.errors;
    return text_of(page_);
  }

  /// What a browser makes of the page, or nothing if there is none.
  std::string rendered() {
    for (const std::string browser : {"chromium", "chromium-browser", "google-chrome"}) {
      if (run({"which", browser}).status != 0) continue;
      return run({browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic",
                  "--no-first-run", "--disable-background-networking", "--disable-component-update",
                  "--disable-sync", "--user-data-dir=" + (folder_ / "profile"), "--dump-dom",
                  "file://" + page_})
          .out;
    }
    return "";
  }

  TempFolder folder_;
  std::string page_ = folder_ / "page.html";
};

TEST_F(Report, HasAPictureOfEverythingAndATable) {
  const std::string page = page_of({small_report()});
  EXPECT_EQ(markup_fault(page), "");
  EXPECT_EQ(count(page, "role=\"img\""), 4u) << "by layer, map, sizes, throughput";
  EXPECT_EQ(count(page, "<title>blk.2.ffn_up.weight: 0.22 (iq1_m)</title>"), 2u)
      << "by layer, and in the map";
  EXPECT_EQ(count(page, "<title>token_embd.weight: 0.08 (q2_k)</title>"), 1u);
  EXPECT_EQ(count(page, "<polyline"), 2u);
  EXPECT_EQ(count(page, "limited by the disk, read"), 5u);
  EXPECT_EQ(count(page, "limited by the cores, read"), 5u);
  EXPECT_NE(page.find("attn_q as q4_k: 2.9 KiB"), std::string::npos);
  EXPECT_NE(page.find("8 tensors as a table"), std::string::npos);
  EXPECT_NE(page.find("<td>copied</td>"), std::string::npos);
}

TEST_F(Report, SeveralRunsStandSideBySideOnOneScale) {
  Json other = small_report();
  other["tensors"][6]["weighted_error"] = 0.9;
  const std::string page = page_of({small_report(), other});
  EXPECT_EQ(markup_fault(page), "");
  EXPECT_EQ(count(page, "role=\"img\""), 8u);
  EXPECT_EQ(count(page, "<h3>report1.json</h3>"), 5u);
}

TEST_F(Report, WhatAReportLacksIsLeftOut) {
  Json report = small_report();
  report.erase("samples");
  for (Json& tensor : report["tensors"]) {
    tensor["weighted_error"] = nullptr;
    tensor["plain_error"] = nullptr;
  }
  const std::string page = page_of({report});
  EXPECT_EQ(markup_fault(page), "");
  EXPECT_EQ(count(page, "role=\"img\""), 1u);
  EXPECT_EQ(markup_fault(page_of({Json{{"tensors", Json::array()}}})), "");
}

TEST_F(Report, OfARealRun) {
  const std::string data = SLUICE_TEST_DATA;
  const std::string report = folder_ / "real.json";
  ASSERT_EQ(sluice({"quantize", "--report", report, "--imatrix",
                    data + "/imatrix/tiny-llama.imatrix.gguf", data + "/model/tiny-llama-f16.gguf",
                    folder_ / "out.gguf", "IQ1_M"})
                .status,
            0);
  ASSERT_EQ(sluice({"report", report, "-o", page_}).status, 0);
  const std::string page = text_of(page_);
  EXPECT_EQ(markup_fault(page), "");
  EXPECT_NE(page.find("Error of each tensor"), std::string::npos);
  EXPECT_NE(page.find("blk.7.ffn_down.weight"), std::string::npos);
}

TEST_F(Report, HostileNamesStayText) {
  const std::string page = page_of({attack()});
  EXPECT_EQ(markup_fault(page), "");
  EXPECT_EQ(page.find("<script"), std::string::npos);
  EXPECT_EQ(page.find("<img"), std::string::npos);
  EXPECT_EQ(page.find('\x1b'), std::string::npos);
  EXPECT_EQ(page.find("\xe2\x80\xae"), std::string::npos) << "text that runs backwards";
  EXPECT_NE(page.find("&lt;script&gt;"), std::string::npos);
  EXPECT_NE(page.find("default-src 'none'"), std::string::npos);
}

TEST_F(Report, TheMarkupCheckSeesAnInjection) {
  const std::string page = page_of({small_report()});
  const auto with = [&](const std::string& part) {
    std::string broken = page;
    return markup_fault(broken.insert(broken.find("</h1>"), part));
  };
  EXPECT_EQ(with(""), "");
  EXPECT_EQ(with("<script>"), "element script");
  EXPECT_EQ(with("<p onclick=\"x\"></p>"), "attribute onclick");
  EXPECT_EQ(with("</p>"), "closes /p");
  EXPECT_EQ(with("https://example.org"), "has https:");
}

TEST_F(Report, InABrowserTheAttackDoesNothing) {
  page_of({attack(), small_report()});
  const std::string seen = rendered();
  SLUICE_NEEDS(!seen.empty(), "no Chromium on this machine that shows a page");
  EXPECT_NE(seen.find("<title>sluice: report0.json, report1.json</title>"), std::string::npos);
  EXPECT_EQ(seen.find("<script"), std::string::npos);
  EXPECT_EQ(seen.find("<img"), std::string::npos);
  EXPECT_EQ(count(seen, "<svg role=\"img\""), 8u);
  EXPECT_EQ(count(seen, "<table"), 3u);
  EXPECT_EQ(count(seen, "<polyline"), 4u);
}

TEST_F(Report, WhatIsNoReportIsRefusedWithOneClearError) {
  const std::string file = folder_ / "bad.json";
  for (const std::string& text :
       {std::string(), std::string("{"), std::string("[1, 2]"), std::string("{\"tensors\": 5}"),
        std::string("{\"tensors\": [5]}"), std::string("{\"tensors\": [{\"name\": 5}]}"),
        std::string("{\"tensors\": [{}]}"), std::string("{\"tensors\": [], \"wall_s\": \"long\"}"),
        std::string("{\"tensors\": [], \"wall_s\": -1}"),
        std::string("{\"tensors\": [], \"wall_s\": 1e999}"),
        std::string("{\"tensors\": [], \"samples\": {}}"),
        std::string("{\"tensors\": [{\"name\": \"a\", \"shape\": [-1]}]}"),
        std::string("{\"a\": \"\x1b[2J"), std::string("\xff\xfe"), std::string(100000, '['),
        std::string("{\"not\": \"one\"}")}) {
    std::ofstream(file) << text;
    const Finished done = sluice({"report", file, "-o", page_});
    EXPECT_EQ(done.status, 3) << text.substr(0, 100);
    EXPECT_NE(done.errors.find(file), std::string::npos) << done.errors;
    EXPECT_EQ(count(done.errors, "\n"), 1u) << done.errors;
    EXPECT_EQ(done.errors.find('\x1b'), std::string::npos);
    EXPECT_NE(::access(page_.c_str(), F_OK), 0);
  }
  EXPECT_EQ(sluice({"report", folder_ / "none.json", "-o", page_}).status, 3);
  EXPECT_EQ(sluice({"report", folder_ / "", "-o", page_}).status, 3);
  EXPECT_EQ(sluice({"report", file}).status, 2);
  page_of({small_report()});
  EXPECT_EQ(sluice({"report", folder_ / "report0.json", "-o", folder_ / "no/page.html"}).status, 4);
  EXPECT_EQ(sluice({"report", folder_ / "report0.json", "-o", "/dev/full"}).status, 4);
}

}  // namespace
