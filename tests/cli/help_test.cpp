// All help texts, kept in help.txt so that a change of the command line is seen in review.
// To accept a change: LDM_UPDATE_HELP=1 ctest --preset release -R cli
#include <gtest/gtest.h>

#include <cstdlib>
#include <sstream>

#include "tests/cli/run_program.h"

namespace ldm::cli {
namespace {

// The verbs that `ldm --help` lists.
std::vector<std::string> listed_verbs(const std::string& help) {
  std::vector<std::string> verbs;
  std::istringstream in(help.substr(help.find("\nVerbs:\n") + 8));
  for (std::string line; std::getline(in, line) && !line.empty();)
    verbs.push_back(line.substr(2, line.find(' ', 2) - 2));
  return verbs;
}

std::string all_help() {
  const auto top = run_program({"--help"});
  EXPECT_EQ(top.code, 0) << top.err;
  std::string text = "$ ldm --help\n" + top.out;
  for (const auto& verb : listed_verbs(top.out)) {
    const auto run = run_program({verb, "--help"});
    EXPECT_EQ(run.code, 0) << run.err;
    EXPECT_NE(run.out.find("\nExamples:\n"), std::string::npos) << verb << " shows no example";
    text += "\n$ ldm " + verb + " --help\n" + run.out;
  }
  return text;
}

TEST(Help, EqualsTheGoldenFile) {
  const auto file = source_folder() / "tests/cli/help.txt";
  const std::string help = all_help();
  if (std::getenv("LDM_UPDATE_HELP") != nullptr) write_whole(file, help);
  EXPECT_EQ(help, read_whole(file)) << "hint: LDM_UPDATE_HELP=1 accepts the change";
}

TEST(Help, NamesTheVersion) {
  const auto run = run_program({"--version"});
  EXPECT_EQ(run.code, 0);
  EXPECT_EQ(run.out.rfind("ldm ", 0), 0u) << run.out;
  EXPECT_EQ(run.err, "");
}

}  // namespace
}  // namespace ldm::cli
