#include "ldm/train/jsonl_log.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmath>
#include <csignal>
#include <fstream>

#include "ldm/core/error.h"
#include "ldm/io/file.h"

namespace ldm {
namespace {

namespace fs = std::filesystem;

class JsonlLogTest : public testing::Test {
 protected:
  void SetUp() override { fs::remove(path_); }
  void TearDown() override { fs::remove(path_); }
  void write_steps(int64_t from, int64_t to, std::optional<int64_t> resume = {}) {
    JsonlLog log(path_, resume);
    for (int64_t step = from; step <= to; ++step) log.write(step, {});
  }
  fs::path path_ = fs::temp_directory_path() / ("ldm_log_" + std::to_string(getpid()) + ".jsonl");
};

TEST_F(JsonlLogTest, WritesARowPerLine) {
  JsonlLog log(path_);
  log.write(3, {{"loss", 0.5},
                {"images", int64_t{96}},
                {"note", std::string("a \"b\"\n")},
                {"bad", std::nan("")},
                {"skipped", true}});
  EXPECT_EQ(read_text(path_),
            "{\"step\": 3, \"loss\": 0.5, \"images\": 96, \"note\": \"a \\\"b\\\"\\n\", \"bad\": null, "
            "\"skipped\": true}\n");
}

TEST_F(JsonlLogTest, AppendsByDefault) {
  write_steps(1, 1);
  write_steps(2, 2);
  EXPECT_EQ(read_text(path_), "{\"step\": 1}\n{\"step\": 2}\n");
}

TEST_F(JsonlLogTest, ForgetsWhatTheResumedRunWillDoAgain) {
  write_steps(1, 5);
  write_steps(4, 4, 3);
  EXPECT_EQ(read_text(path_), "{\"step\": 1}\n{\"step\": 2}\n{\"step\": 3}\n{\"step\": 4}\n");
}

TEST_F(JsonlLogTest, RemovesATornLastLine) {
  write_steps(1, 1);
  std::ofstream(path_, std::ios::app) << "{\"step\": 2, \"lo";
  write_steps(2, 2);
  EXPECT_EQ(read_text(path_), "{\"step\": 1}\n{\"step\": 2}\n");
}

TEST_F(JsonlLogTest, KeepsLinesItDoesNotUnderstand) {
  std::ofstream(path_) << "{\"event\": \"start\"}\nnoise\n{\"step\": 9}\n";
  write_steps(1, 1, 0);
  EXPECT_EQ(read_text(path_), "{\"event\": \"start\"}\nnoise\n{\"step\": 1}\n");
}

TEST_F(JsonlLogTest, ReportsAFileItCannotOpen) {
  try {
    JsonlLog log("/nonexistent/log.jsonl");
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kData);
    EXPECT_NE(std::string(error.what()).find("cannot open /nonexistent"), std::string::npos);
  }
}

TEST_F(JsonlLogTest, ReportsADiskThatTakesNoMore) {
  JsonlLog log(path_);
  rlimit old{};
  getrlimit(RLIMIT_FSIZE, &old);
  const rlimit none{0, old.rlim_max};
  const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
  setrlimit(RLIMIT_FSIZE, &none);
  EXPECT_THROW(log.write(1, {}), Error);
  setrlimit(RLIMIT_FSIZE, &old);
  std::signal(SIGXFSZ, old_handler);
}

TEST_F(JsonlLogTest, RefusesWhatIsNoFile) {
  fs::create_directory(path_);
  EXPECT_THROW(JsonlLog{path_}, Error);
}

}  // namespace
}  // namespace ldm
