// `sluice report` of a choice of types: the page tells its numbers without scripts, whatever names
// it has, and bad files are refused. How it looks is for tests/pages.

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "support/page_markup.h"
#include "support/process.h"
#include "support/temp_folder.h"

namespace {

using namespace sluice::testing_support;
using OrderedJson = nlohmann::ordered_json;

class ChoicePage : public testing::Test {
 protected:
  /// Two tensors, of which one had a choice, and two mixes.
  static OrderedJson small_choice() {
    const OrderedJson types = {{{"type", "iq1_m"}, {"bytes", 1024}, {"divergence", 0.5}},
                               {{"type", "q4_k"}, {"bytes", 3072}, {"divergence", 0.125}}};
    const OrderedJson kept = {{{"type", "f32"}, {"bytes", 1024}, {"divergence", 0}}};
    return {{"bytes", 4096},
            {"divergence", 0.125},
            {"measured", "with text.txt (4096 tokens)"},
            {"file", "m.json"},
            {"tensors",
             {{{"name", "blk.0.attn_q.weight"}, {"types", types}, {"chosen", 1}, {"rule", ""}},
              {{"name", "output_norm.weight"}, {"types", kept}, {"chosen", 0}, {"rule", "kept"}}}},
            {"frontier",
             {{{"name", ""}, {"bytes", 2048}, {"divergence", 0.5}},
              {{"name", ""}, {"bytes", 4096}, {"divergence", 0.125}}}},
            {"mixes",
             {{{"name", "IQ1_S"}, {"bytes", 1024}, {"divergence", 1}},
              {{"name", "Q4_0"}, {"bytes", 5120}, {"divergence", 0.25}}}}};
  }

  Finished report(const OrderedJson& choice, std::vector<std::string> words = {}) {
    std::ofstream(choice_) << choice.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
    words.insert(words.begin(), {SLUICE_PROGRAM, "report", choice_, "-o", page_});
    return run(words);
  }

  std::string page_of(const OrderedJson& choice, std::vector<std::string> words = {}) {
    const Finished done = report(choice, std::move(words));
    EXPECT_EQ(done.status, 0) << done.errors;
    return text_of(page_);
  }

  std::string table_of(const std::string& text) {
    std::ofstream(table_) << text;
    return table_;
  }

  TempFolder folder_;
  std::string choice_ = folder_ / "tiny.json";
  std::string table_ = folder_ / "measured.txt";
  std::string page_ = folder_ / "page.html";
};

TEST_F(ChoicePage, BeginsWithSizeDivergenceAndTheNearestMix) {
  const std::string page = page_of(
      small_choice(), {"--measured", table_of("# of two files\n\n4096 0.13 best one\n5120\t0\n")});
  EXPECT_EQ(markup_fault(page), "");
  EXPECT_EQ(between(page, "<h1>", "</h1>"), "tiny in 4.0 KiB");
  for (const std::string figure :
       {"<dt>Foretold divergence</dt><dd><strong>0.125</strong>",
        "<dt>Nearest default mix</dt><dd><strong>Q4_0</strong> 0.25 at 5.0 KiB; 0.125 for the best "
        "choice of that size</dd>",
        "<strong>2</strong> 1 × q4_k, 1 × f32</dd>",
        "<th scope=\"row\">measured</th><td>with text.txt (4096 tokens)</td>",
        "<th scope=\"row\">IQ1_S, default mix</th><td>1 at 1.0 KiB; no choice is as small</td>",
        "<th scope=\"row\">best one, measured</th><td>0.13 at 4.0 KiB</td>"}) {
    EXPECT_NE(page.find(figure), std::string::npos) << figure;
  }
  const nlohmann::json data = data_of(page);
  const nlohmann::json choice = small_choice();
  EXPECT_EQ(data["choice"]["mix"]["tensors"], choice["tensors"]);
  EXPECT_EQ(data["choice"]["mix"]["frontier"], choice["frontier"]);
  EXPECT_EQ(data["choice"]["types"], (nlohmann::json{"q4_k", "f32"}));
  ASSERT_EQ(data["choice"]["measured"].size(), 2u);
  EXPECT_EQ(data["choice"]["measured"][0]["divergence"], 0.13);
}

TEST_F(ChoicePage, OfARunIsOnItsPage) {
  const OrderedJson run{{"tensors", OrderedJson::array()}, {"mix", small_choice()}};
  const std::string page = page_of(run);
  EXPECT_EQ(markup_fault(page), "");
  EXPECT_NE(page.find("<dt>Foretold divergence</dt><dd><strong>0.125</strong>"), std::string::npos);
  EXPECT_EQ(data_of(page)["runs"][0]["choice"]["mix"]["mixes"].size(), 2u);
  // Of several runs it is left out.
  EXPECT_FALSE(data_of(page_of(run, {choice_}))["runs"][0].contains("choice"));
  OrderedJson bad = run;
  bad["mix"].erase("bytes");
  EXPECT_EQ(report(bad).status, 3);
}

TEST_F(ChoicePage, HostileNamesStayText) {
  OrderedJson choice = small_choice();
  choice["measured"] = choice["file"] = kAttack;
  choice["mixes"][1]["name"] = kAttack;
  choice["tensors"][0]["name"] = kAttack;
  choice["tensors"][0]["types"][1]["type"] = kAttack;
  const std::string page = page_of(choice, {"--measured", table_of("1 2 " + kAttack)});
  EXPECT_EQ(markup_fault(page), "");
  EXPECT_EQ(data_of(page)["choice"]["mix"]["tensors"][0]["name"], kAttack);
}

TEST_F(ChoicePage, WhatIsNoChoiceIsRefusedWithOneClearError) {
  const auto without = [](const std::string& pointer) {
    const OrderedJson::json_pointer at(pointer);
    OrderedJson choice = small_choice();
    choice[at.parent_pointer()].erase(at.back());
    return choice;
  };
  const auto with = [](const std::string& pointer, const OrderedJson& value) {
    OrderedJson choice = small_choice();
    choice[OrderedJson::json_pointer(pointer)] = value;
    return choice;
  };
  for (const OrderedJson& bad :
       {without("/bytes"), without("/divergence"), without("/frontier/0/bytes"),
        without("/mixes/1/divergence"), without("/tensors/0/name"), without("/tensors/0/types"),
        without("/tensors/0/chosen"), without("/tensors/0/types/0/type"),
        without("/tensors/0/types/0/bytes"), with("/tensors/0/chosen", 2),
        with("/tensors/0/chosen", 0.5), with("/frontier", 3), with("/frontier/0", "x"),
        with("/divergence", -1), with("/tensors/0/types/1/type", 3)}) {
    const Finished done = report(bad);
    EXPECT_EQ(done.status, 3) << bad;
    EXPECT_NE(done.errors.find(choice_), std::string::npos) << done.errors;
    EXPECT_EQ(count(done.errors, "\n"), 1u) << done.errors;
    EXPECT_NE(::access(page_.c_str(), F_OK), 0);
  }
}

TEST_F(ChoicePage, MeasuredFilesAreReadOrRefused) {
  const OrderedJson choice = small_choice();
  for (const std::string bad : {"x 0.1", "4096", "4096 x", "4096 -1", "4096 nan", "-"}) {
    const Finished done = report(choice, {"--measured", table_of("1 1\n" + bad + "\n")});
    EXPECT_EQ(done.status, 3) << bad;
    EXPECT_NE(done.errors.find(table_ + ": line 2"), std::string::npos) << done.errors;
  }
  EXPECT_EQ(report(choice, {"--measured", folder_ / "none"}).status, 3);
  // They are beside a choice, and a choice is alone.
  EXPECT_EQ(
      report(OrderedJson{{"tensors", OrderedJson::array()}}, {"--measured", table_of("1 1\n")})
          .status,
      2);
  EXPECT_EQ(report(choice, {choice_}).status, 2);
}

}  // namespace
