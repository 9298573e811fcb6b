// The promises of ARCHITECTURE.md, checked on every file; and each check seen to fail on a planted violation.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "tests/layering/sources.h"

namespace ldm::layering {
namespace {

using Violations = std::vector<std::string>;

const char kPage[] =
    "Some words.\n\n    core < io < (config, image) < nn < cli\n    without LibTorch: core, io, config, "
    "image\n";

std::vector<Source> one(const std::string& path, std::vector<std::string> lines) {
  return {{path, std::move(lines)}};
}

std::string joined(const Violations& violations) {
  std::string out;
  for (const auto& violation : violations) out += violation + "\n";
  return out;
}

// The whole project.
class Project : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* root = std::getenv("LDM_SOURCE_DIR");
    ASSERT_NE(root, nullptr) << "run by ctest, which names the source folder";
    sources_ = read_sources(root, {"ldm", "cli", "tests", "bench", "fuzz", "examples"});
    ASSERT_GT(sources_.size(), 20u);
    std::ifstream in(std::string(root) + "/ARCHITECTURE.md");
    std::stringstream text;
    text << in.rdbuf();
    page_ = parse_page(text.str());
  }

  std::vector<Source> sources_;
  Page page_;
};

TEST_F(Project, IncludesFollowTheOrder) { EXPECT_EQ(joined(check_order(sources_, page_)), ""); }
TEST_F(Project, PlainFoldersKnowNoTorch) { EXPECT_EQ(joined(check_plain(sources_, page_)), ""); }
TEST_F(Project, NobodyIncludesTorchTorchH) { EXPECT_EQ(joined(check_torch_header(sources_)), ""); }
TEST_F(Project, FilesAreShort) { EXPECT_EQ(joined(check_file_sizes(sources_)), ""); }
TEST_F(Project, FunctionsAreShort) { EXPECT_EQ(joined(check_function_sizes(sources_)), ""); }
TEST_F(Project, TheLibraryIsSilent) { EXPECT_EQ(joined(check_silence(sources_)), ""); }
TEST_F(Project, HeadersAreExplained) { EXPECT_EQ(joined(check_headers(sources_)), ""); }

TEST(Order, AllowsWhatStandsToTheLeft) {
  EXPECT_EQ(check_order(one("ldm/nn/a.cpp", {"#include \"ldm/nn/a.h\"", "#include \"ldm/core/b.h\""}),
                        parse_page(kPage)),
            Violations{});
}

TEST(Order, RefusesWhatStandsToTheRight) {
  EXPECT_EQ(check_order(one("ldm/io/a.cpp", {"", "#include \"ldm/nn/b.h\""}), parse_page(kPage)),
            Violations{"ldm/io/a.cpp:2: io may not include ldm/nn/b.h"});
  EXPECT_EQ(check_order(one("ldm/nn/a.cpp", {"#include \"cli/b.h\""}), parse_page(kPage)).size(), 1u);
}

TEST(Order, RefusesSiblings) {
  EXPECT_EQ(check_order(one("ldm/image/a.h", {"# include \"ldm/config/b.h\""}), parse_page(kPage)),
            Violations{"ldm/image/a.h:1: image may not include ldm/config/b.h"});
}

TEST(Order, RefusesUnknownFolders) {
  EXPECT_EQ(check_order(one("ldm/attic/a.h", {}), parse_page(kPage)),
            Violations{"ldm/attic/a.h: the folder 'attic' is not in ARCHITECTURE.md"});
  EXPECT_EQ(check_order(one("ldm/nn/a.h", {"#include \"ldm/attic/b.h\""}), parse_page(kPage)).size(), 1u);
}

TEST(Order, NeedsThePage) {
  EXPECT_THROW(parse_page("nothing\n"), std::runtime_error);
  EXPECT_THROW(parse_page("core < io\n"), std::runtime_error);
}

TEST(Plain, RefusesTorch) {
  EXPECT_EQ(check_plain(one("ldm/io/a.h", {"#include <ATen/ATen.h>"}), parse_page(kPage)),
            Violations{"ldm/io/a.h:1: io is to build without LibTorch, but includes ATen/ATen.h"});
  EXPECT_EQ(check_plain(one("ldm/nn/a.h", {"#include <torch/types.h>"}), parse_page(kPage)), Violations{});
  EXPECT_EQ(check_plain(one("ldm/core/noise.h", {"#include <torch/types.h>"}), parse_page(kPage)),
            Violations{});
}

TEST(TorchHeader, IsRefusedEverywhere) {
  EXPECT_EQ(check_torch_header(one("tests/nn/a.cpp", {"#include <torch/torch.h>"})).size(), 1u);
}

TEST(FileSize, HasALimit) {
  EXPECT_EQ(check_file_sizes(one("ldm/nn/a.cpp", Violations(500))), Violations{});
  EXPECT_EQ(check_file_sizes(one("ldm/nn/a.cpp", Violations(501))).size(), 1u);
}

TEST(FunctionSize, HasALimit) {
  const auto function = [](std::size_t body) {
    Violations lines = {"namespace {", "", "int twice(int x);", "", "int twice(", "    int x) {"};
    lines.insert(lines.end(), body, "  ++x;");
    lines.insert(lines.end(), {"}", "", "}  // namespace"});
    return one("ldm/nn/a.cpp", lines);
  };
  EXPECT_EQ(check_function_sizes(function(57)), Violations{});
  EXPECT_EQ(check_function_sizes(function(58)),
            Violations{"ldm/nn/a.cpp:5: a function of 61 lines, at most 60 are allowed"});
}

TEST(Silence, IsChecked) {
  EXPECT_EQ(
      check_silence(one("ldm/nn/a.cpp", {"  std::cout << 1;", "std::snprintf(a, 3, \"getenv\"); // puts"}))
          .size(),
      1u);
  EXPECT_EQ(check_silence(one("cli/a.cpp", {"std::cout << std::getenv(\"HOME\");"})).size(), 1u);
  EXPECT_EQ(check_silence(one("cli/main.cpp", {"std::getenv(\"HOME\");"})), Violations{});
}

TEST(Headers, NeedCommentsAndPragmaOnce) {
  EXPECT_EQ(
      check_headers(one("ldm/nn/a.h", {"#pragma once", "// A thing.", "template <class T>", "class A {"})),
      Violations{});
  EXPECT_EQ(check_headers(one("ldm/nn/a.h", {"#pragma once", "", "class A {"})).size(), 1u);
  EXPECT_EQ(check_headers(one("ldm/nn/a.h", {"// A thing."})).size(), 1u);
}

}  // namespace
}  // namespace ldm::layering
