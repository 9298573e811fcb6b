// Wrong command lines: one line on stderr, exit code 2, nothing on stdout.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "tests/cli/run_program.h"

namespace ldm::cli {
namespace {

void expect_usage_error(const std::vector<std::string>& arguments, const std::string& message) {
  const auto run = run_program(arguments);
  EXPECT_EQ(run.code, 2) << run.err;
  EXPECT_EQ(run.out, "");
  EXPECT_EQ(run.err, "ldm: " + message + "\n");
}

TEST(Usage, WantsAVerb) {
  expect_usage_error({}, "expected a verb, got none; hint: ldm --help, or ldm generate \"a slice of pizza\"");
}

TEST(Usage, NamesTheNearestVerb) {
  expect_usage_error({"doctr"}, "unknown verb 'doctr'; did you mean 'doctor'? (ldm --help lists them)");
  expect_usage_error({"xyzzyx"}, "unknown verb 'xyzzyx' (ldm --help lists them)");
}

TEST(Usage, NamesTheNearestOption) {
  expect_usage_error({"doctor", "--jsn"},
                     "doctor: unknown option --jsn; did you mean '--json'? (ldm doctor --help lists them)");
}

TEST(Usage, RefusesOneArgumentTooMany) {
  expect_usage_error({"doctor", "please"},
                     "doctor: one argument too many: 'please'; hint: put words in quotes");
}

TEST(Usage, WantsRequiredArguments) {
  expect_usage_error({"info"}, "info: FILE is required (ldm info --help says more)");
}

TEST(Usage, ChecksTheDevice) {
  const auto run = run_program({"doctor", "--device", "gpu"});
  EXPECT_EQ(run.code, 2);
  EXPECT_NE(run.err.find("gpu"), std::string::npos) << run.err;
}

TEST(Info, RefusesAFileThatIsNoModel) {
  const Scratch scratch;
  write_whole(scratch / "a.safetensors", "nonsense");
  const auto run = run_program({"info", scratch / "a.safetensors"});
  EXPECT_EQ(run.code, 1);
  EXPECT_EQ(run.out, "");
  EXPECT_EQ(run.err.rfind("ldm: ", 0), 0u) << run.err;
  EXPECT_EQ(run.err.find('\n'), run.err.size() - 1) << run.err;
}

TEST(Info, RefusesAFileThatIsNotThere) {
  const auto run = run_program({"info", "/nowhere/a.safetensors"});
  EXPECT_EQ(run.code, 1);
  EXPECT_NE(run.err.find("/nowhere/a.safetensors"), std::string::npos) << run.err;
}

TEST(Info, ListsTheTensorsOfAFile) {
  const Scratch scratch;
  const std::string header = R"({"a.weight":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]}})";
  std::string length(8, '\0');
  length[0] = static_cast<char>(header.size());
  write_whole(scratch / "a.safetensors", length + header + std::string(8, '\0'));
  const auto run = run_program({"info", scratch / "a.safetensors", "--keys"});
  EXPECT_EQ(run.code, 0) << run.err;
  EXPECT_NE(run.out.find("a: 2 in 1 tensors, F32"), std::string::npos) << run.out;
  EXPECT_NE(run.out.find("a.weight F32 [2, 1]"), std::string::npos) << run.out;
}

TEST(Doctor, SpeaksJson) {
  const auto run = run_program({"doctor", "--json"});
  EXPECT_EQ(run.code, 0) << run.err;
  EXPECT_EQ(run.out.front(), '{');
  EXPECT_NE(run.out.find("\"libtorch\""), std::string::npos) << run.out;
}

TEST(Doctor, FindsModelsWhereTheEnvironmentSays) {
  const Scratch scratch;
  write_whole(scratch / "x.safetensors", "");
  const auto run = run_program({"doctor"}, {"LDM_MODELS=" + scratch.path().string()});
  EXPECT_NE(run.out.find("x.safetensors (0.0 MB) in " + scratch.path().string()), std::string::npos)
      << run.out;
}

TEST(Output, ThatCannotBeWrittenIsAnError) {
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "no /dev/full here";
  const std::string program = std::string(std::getenv("LDM_BUILD_DIR")) + "/bin/ldm";
  EXPECT_NE(std::system((program + " --help >/dev/full 2>/dev/null").c_str()), 0);
}

}  // namespace
}  // namespace ldm::cli
