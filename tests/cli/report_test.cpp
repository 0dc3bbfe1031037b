// `sluice report`: pages that hold what the report tells, load nothing and run nothing but their own
// script, whatever names the report has. How they look is for tests/pages.

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "support/gguf_builder.h"
#include "support/page_markup.h"
#include "support/process.h"
#include "support/temp_folder.h"

namespace {

using namespace sluice::testing_support;
using OrderedJson = nlohmann::ordered_json;

class Report : public testing::Test {
 protected:
  Finished sluice(std::vector<std::string> words) {
    words.insert(words.begin(), SLUICE_PROGRAM);
    return run(words);
  }

  /// A report of 3 layers of 2 tensors, and what stands outside.
  static OrderedJson small_report() {
    OrderedJson tensors = OrderedJson::array();
    const auto add = [&](const std::string& name, const std::string& type,
                         const OrderedJson& error) {
      tensors.push_back({{"name", name},
                         {"source", "bf16"},
                         {"type", type},
                         {"shape", {256, 4}},
                         {"bytes", 1000},
                         {"crc32", "0x00000000"},
                         {"weighted_error", error},
                         {"plain_error", error},
                         {"weighted_power", 2.0},
                         {"plain_power", 3.0}});
    };
    add("token_embd.weight", "q2_k", 0.08);
    for (int layer = 0; layer < 3; ++layer) {
      const std::string prefix = "blk." + std::to_string(layer) + ".";
      add(prefix + "attn_q.weight", "q4_k", 0.004);
      add(prefix + "ffn_up.weight", "iq1_m", 0.2 + 0.01 * layer);
    }
    add("output_norm.weight", "bf16", 0);
    OrderedJson samples = OrderedJson::array();
    for (int i = 1; i <= 10; ++i) {
      samples.push_back({{"t", i * 0.5},
                         {"read", i * 1000000},
                         {"written", i * 100000},
                         {"weights", i * 1000},
                         {"limit", i < 6 ? "disk" : "cores"}});
    }
    return {{"wall_s", 5.0},        {"read_bytes", 10000000}, {"threads", 2},
            {"isa", "avx2"},        {"wait_disk_s", 1.0},     {"wait_cores_s", 3.5},
            {"wait_budget_s", 0.5}, {"tensors", tensors},     {"samples", samples}};
  }

  /// The same with what newer reports tell.
  static OrderedJson full_report(const std::string& type, double error) {
    OrderedJson report = small_report();
    report.update({{"version", "0.4.0"},
                   {"date", "2026-11-28T01:02:03Z"},
                   {"command", "sluice quantize 'my model.gguf' " + type},
                   {"input", "/models/tiny-BF16.gguf"},
                   {"output", "/models/tiny-" + type + ".gguf"},
                   {"model", "Tiny Llama"},
                   {"architecture", "llama"},
                   {"file_type", type},
                   {"imatrix", "/models/matrix.gguf"},
                   {"effort", "best"},
                   {"total_error",
                    {{"weighted", error},
                     {"plain", 2 * error},
                     {"measured_weights", 6144},
                     {"weights", 8192}}}});
    return report;
  }

  /// The same with names that would be markup.
  static OrderedJson attack() {
    OrderedJson report = small_report();
    for (const char* field : {"name", "type", "source"}) report["tensors"][1][field] = kAttack;
    report["isa"] = kAttack;
    report["spindle"] = "shared";
    report["spindle_reason"] = kAttack + "\x1b[2J\xe2\x80\xae";
    report["samples"][2]["limit"] = kAttack;
    return report;
  }

  std::string page_of(const std::vector<OrderedJson>& reports) {
    std::vector<std::string> words{"report", "-o", page_};
    for (std::size_t i = 0; i < reports.size(); ++i) {
      words.push_back(folder_ / ("report" + std::to_string(i) + ".json"));
      std::ofstream(words.back()) << reports[i].dump(-1, ' ', false,
                                                     OrderedJson::error_handler_t::replace);
    }
    const Finished done = sluice(words);
    EXPECT_EQ(done.status, 0) << done.errors;
    return text_of(page_);
  }

  TempFolder folder_;
  std::string page_ = folder_ / "page.html";
};

TEST_F(Report, BeginsWithWhatWasMadeItsErrorSizeAndLimit) {
  const std::string page = page_of({full_report("IQ1_M", 0.125)});
  EXPECT_EQ(markup_fault(page), "");
  EXPECT_EQ(between(page, "<title>", "</title>"), "Tiny Llama as IQ1_M");
  EXPECT_EQ(between(page, "<h1>", "</h1>"), "Tiny Llama as IQ1_M");
  EXPECT_EQ(between(page, "<p class=\"lead\">", "</p>"),
            "tiny-IQ1_M.gguf from tiny-BF16.gguf, weighted by matrix.gguf, effort best, by sluice "
            "0.4.0 on 2026-11-28.");
  for (const std::string figure :
       {"<dt>Total error</dt><dd><strong>0.125</strong> weighted by importance, plain 0.25; of 75 "
        "% "
        "of the weights</dd>",
        // 8 tensors of 1000 bytes and 1024 weights.
        "<dt>Size</dt><dd><strong>7.8 KiB</strong> 7.812 bits a weight, 8 tensors</dd>",
        "<dt>Time</dt><dd><strong>5.0 s</strong> 1.9 MiB/s read</dd>",
        "<dt>Limited by</dt><dd><strong>cores</strong> cores 70 %, disk 20 %, memory 10 % of the "
        "time</dd>",
        "<tr><th scope=\"row\">command</th><td>sluice quantize &#39;my model.gguf&#39; "
        "IQ1_M</td>"}) {
    EXPECT_NE(page.find(figure), std::string::npos) << figure;
  }
  EXPECT_NE(page.find("<noscript>"), std::string::npos);
  // Without an importance matrix both errors are one.
  OrderedJson plain = full_report("Q8_0", 0.125);
  plain["imatrix"] = nullptr;
  plain["total_error"]["plain"] = 0.125;
  EXPECT_NE(page_of({plain}).find("<strong>0.125</strong> all weights alike; of 75 %"),
            std::string::npos);
}

TEST_F(Report, ScriptsGetEachTensorAndSample) {
  const OrderedJson report = full_report("IQ1_M", 0.125);
  const OrderedJson data = data_of(page_of({report}));
  ASSERT_EQ(data["runs"].size(), 1u);
  const OrderedJson& run = data["runs"][0];
  ASSERT_EQ(run["tensors"].size(), 8u);
  for (const auto& [key, value] : run["tensors"][2].items()) {
    EXPECT_EQ(value, report["tensors"][2][key]) << key;
  }
  EXPECT_EQ(run["tensors"][2]["weighted_error"], 0.2);
  EXPECT_EQ(run["tensors"][2]["weighted_power"], 2.0);
  EXPECT_EQ(run["samples"].size(), 10u);
  EXPECT_EQ(run["samples"][9]["limit"], "cores");
}

TEST_F(Report, OldReportsSayWhatTheyLack) {
  const std::string page = page_of({small_report()});
  EXPECT_EQ(markup_fault(page), "");
  EXPECT_EQ(between(page, "<h1>", "</h1>"), "report0.json");
  EXPECT_NE(page.find("this report does not tell what it is of"), std::string::npos);
  EXPECT_NE(page.find("<dt>Total error</dt><dd><strong>not told</strong>"), std::string::npos);
  EXPECT_EQ(markup_fault(page_of({OrderedJson{{"tensors", OrderedJson::array()}}})), "");
  OrderedJson nulls = small_report();
  for (const char* key : {"model", "imatrix", "total_error", "isa", "wall_s"}) nulls[key] = nullptr;
  EXPECT_EQ(markup_fault(page_of({nulls})), "");
}

TEST_F(Report, OfTwoRunsOneLineSaysWhichIsBetterAtWhat) {
  OrderedJson slower = full_report("Q4_K_M", 0.004);
  slower["wall_s"] = 8;
  slower["tensors"][0]["bytes"] = 3000;
  const auto lead = [](const std::string& page) {
    return between(page, "<p class=\"lead\">", "</p>");
  };
  const std::string page = page_of({full_report("IQ1_M", 0.125), slower});
  EXPECT_EQ(markup_fault(page), "");
  EXPECT_EQ(between(page, "<h1>", "</h1>"), "Tiny Llama as IQ1_M and Q4_K_M");
  EXPECT_EQ(lead(page),
            "Q4_K_M has the least weighted error, 0.004 against 0.125. IQ1_M is the smallest, 7.8 "
            "KiB against 9.8 KiB. IQ1_M was made fastest, 5.0 s against 8.0 s. ");
  EXPECT_NE(page.find("<thead><tr><td></td><th scope=\"col\">IQ1_M</th><th scope=\"col\">Q4_K_M"),
            std::string::npos);
  // Errors that are weighted by different importance are of different measures.
  OrderedJson other = full_report("IQ1_M", 0.1);
  other["imatrix"] = "other.gguf";
  other["output"] = "other.gguf";
  EXPECT_EQ(lead(page_of({full_report("IQ1_M", 0.125), other})),
            "other.gguf has the least plain error, 0.2 against 0.25. All are of one size, 7.8 KiB. "
            "All took the same time, 5.0 s. ");
  EXPECT_EQ(between(page_of({small_report(), small_report()}), "<h1>", "</h1>"),
            "report0.json and report1.json");
  // Of two models types alone would not tell which.
  OrderedJson stranger = slower;
  stranger["model"] = "Another";
  EXPECT_EQ(between(page_of({full_report("IQ1_M", 0.125), stranger}), "<h1>", "</h1>"),
            "tiny-IQ1_M.gguf and tiny-Q4_K_M.gguf");
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
  EXPECT_NE(between(page, "<h1>", "</h1>").find(" as IQ1_M"), std::string::npos);
  EXPECT_EQ(page.find("not told"), std::string::npos);
  EXPECT_EQ(data_of(page)["runs"][0]["tensors"].size(),
            OrderedJson::parse(text_of(report))["tensors"].size());
}

TEST_F(Report, OfACheck) {
  const std::string model = std::string(SLUICE_TEST_DATA) + "/model/tiny-llama-f16.gguf";
  const std::string report = folder_ / "check.json";
  ASSERT_EQ(sluice({"verify", "--against", model, "--report", report, model}).status, 0);
  ASSERT_EQ(sluice({"report", report, "-o", page_}).status, 0);
  EXPECT_EQ(markup_fault(text_of(page_)), "");
}

TEST_F(Report, HostileNamesStayText) {
  OrderedJson everywhere = full_report("IQ1_M", 0.125);
  for (const char* key : {"model", "file_type", "input", "output", "command", "version", "date"}) {
    everywhere[key] = kAttack;
  }
  for (const std::string& page : {page_of({attack()}), page_of({everywhere, attack()})}) {
    EXPECT_EQ(markup_fault(page), "");
    EXPECT_EQ(page.find("<img"), std::string::npos);
    EXPECT_EQ(page.find("<!--"), std::string::npos) << "would open a comment in a script";
    EXPECT_EQ(page.find('\x1b'), std::string::npos);
    EXPECT_EQ(page.find("\xe2\x80\xae"), std::string::npos) << "text that runs backwards";
    EXPECT_NE(page.find("default-src 'none'"), std::string::npos);
    EXPECT_EQ(between(page, kDataBegins, "</script>").find('<'), std::string::npos);
    EXPECT_EQ(data_of(page)["runs"].back()["tensors"][1]["name"], kAttack);
  }
}

TEST_F(Report, TheMarkupCheckSeesAnInjection) {
  const std::string page = page_of({small_report()});
  const auto with = [&](const std::string& part) {
    std::string broken = page;
    return markup_fault(broken.insert(broken.find("</h1>"), part));
  };
  EXPECT_EQ(with(""), "");
  EXPECT_EQ(with("<img>"), "element img");
  EXPECT_EQ(with("<script></script>"), "has another script");
  EXPECT_EQ(with("<p onclick=\"x\"></p>"), "attribute onclick");
  EXPECT_EQ(with("</p>"), "closes /p");
  EXPECT_EQ(with("https://example.org"), "has https:");
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
