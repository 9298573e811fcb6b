// Wrong command lines: one line on stderr, exit code 2, nothing on stdout.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "ldm/image/png.h"
#include "ldm/io/file.h"
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

TEST(Usage, SaysWhatANumberHasToBe) {
  expect_usage_error({"generate", "x", "--steps", "abc"}, "--steps: expected a whole number, got 'abc'");
  expect_usage_error({"generate", "x", "--guidance", "nan"}, "--guidance: expected a number, got 'nan'");
  expect_usage_error({"generate", "x", "-n", "99999999999999999999"},
                     "--count: expected a whole number, got '99999999999999999999'");
  expect_usage_error({"generate", "x", "--subseed", "-1", "--subseed-strength", "0.2"},
                     "--subseed: expected a whole number from 0 to 2^64-1, got '-1'");
  expect_usage_error({"generate", "x", "--size", "99999999999999999999x1"},
                     "--size: expected WIDTHxHEIGHT in pixels, e.g. 64x64, got '99999999999999999999x1'");
}

TEST(Usage, RefusesEmptyValues) {
  for (const auto* option :
       {"--strength", "--outpaint", "--init-image", "--model", "--preview", "--steps", "--out"}) {
    expect_usage_error(
        {"generate", "x", option, ""},
        std::string(option) +
            ": expected a value, got an empty one; hint: without the option its default counts");
  }
}

TEST(Usage, NamesAnOptionOfTheSampler) {
  const auto run = run_program({"generate", "x", "--sampler-option", "ordr=3"});
  EXPECT_EQ(run.code, 2);
  EXPECT_EQ(run.err, "ldm: --sampler-option 'ordr=3': unknown key 'ordr'; did you mean 'order'?\n");
}

TEST(Usage, SaysWhereModelsAreLookedFor) {
  for (const auto* verb : {"generate", "reconstruct"}) {
    const auto run = run_program({verb, (source_folder() / "docs/pictures/tasks/frog.png").string()},
                                 {"LDM_MODELS=/nowhere"});
    EXPECT_EQ(run.code, 1);
    EXPECT_NE(run.err.find("no such model; hint: $LDM_MODELS"), std::string::npos) << run.err;
  }
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

TEST(Info, KnowsPicturesFromModels) {
  const Scratch scratch;
  write_whole(scratch / "a.jpg", "\xff\xd8\xff\xe0 and so on");
  EXPECT_EQ(run_program({"info", scratch / "a.jpg"}).out, "a JPEG picture; only PNG pictures hold recipes\n");
  const auto drawn = run_program({"generate", "x", "-m", scratch / "a.jpg"});
  EXPECT_EQ(drawn.code, 1);
  EXPECT_NE(drawn.err.find("a.jpg: a JPEG picture, not a model"), std::string::npos) << drawn.err;
}

TEST(Info, TextOfAPictureDoesNotReachTheTerminalRaw) {
  const Scratch scratch;
  const PngText text{{"parameters", "a\x1b[31mb\nSteps: 1, Sampler: x\x1b[0m, Seed: 3"}};
  const auto bytes = encode_png(make_image(4, 4, 3), text);
  write_whole(scratch / "a.png", std::string(as_text(bytes)));
  const auto run = run_program({"info", scratch / "a.png"});
  EXPECT_EQ(run.code, 0) << run.err;
  EXPECT_EQ(run.out.find('\x1b'), std::string::npos);
  EXPECT_NE(run.out.find("a?[31mb\n"), std::string::npos) << run.out;
}

TEST(Info, NamesTheFileOfADamagedPicture) {
  const Scratch scratch;
  const auto bytes = encode_png(make_image(4, 4, 3), {{"ldm", R"({"format": 99})"}});
  write_whole(scratch / "a.png", std::string(as_text(bytes)));
  EXPECT_NE(run_program({"info", scratch / "a.png"}).err.find("its recipe is damaged: "), std::string::npos);
  write_whole(scratch / "half.png", std::string(as_text(bytes)).substr(0, 60));
  const auto half = run_program({"info", scratch / "half.png"});
  EXPECT_EQ(half.code, 1);
  EXPECT_NE(half.err.find("half.png: "), std::string::npos) << half.err;
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
