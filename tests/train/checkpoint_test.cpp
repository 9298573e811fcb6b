#include "ldm/train/checkpoint.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <random>

#include "ldm/core/error.h"
#include "ldm/io/file.h"

namespace ldm {
namespace {

namespace fs = std::filesystem;

class CheckpointTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto* info = testing::UnitTest::GetInstance()->current_test_info();
    root_ = fs::temp_directory_path() / ("ldm_checkpoint_" + std::to_string(getpid()) + "_" + info->name());
    fs::remove_all(root_);
    fs::create_directories(root_);
  }
  void TearDown() override { fs::remove_all(root_); }

  LogFn keep_warnings() {
    return [this](LogLevel, std::string_view message) { warnings_ += std::string(message) + "\n"; };
  }

  fs::path root_;
  std::string warnings_;
};

CheckpointFiles text_of(const std::string& text) { return {{"state.json", text_file_writer(text)}}; }

// Written without any library, so that a forked child may use it.
CheckpointFiles blob_of(size_t bytes, char fill) {
  return {{"model.safetensors", [=](const fs::path& path) {
             std::ofstream out(path, std::ios::binary);
             const std::string chunk(1 << 16, fill);
             for (size_t done = 0; done < bytes && out; done += chunk.size()) out << chunk;
             out.close();
             check(!out.fail(), ErrorKind::kData, path.string(), ": cannot write: ", std::strerror(errno));
           }}};
}

template <typename Act>
std::string error_of(ErrorKind kind, Act act) {
  try {
    act();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind);
    return error.what();
  }
  ADD_FAILURE() << "no error";
  return "";
}

TEST_F(CheckpointTest, RoundTrip) {
  CheckpointStore store(root_ / "checkpoints");
  EXPECT_FALSE(store.latest().has_value());
  const auto tensor = at::arange(6, torch::kFloat).view({2, 3});
  store.save(7, {{"model.safetensors", tensor_file_writer({{"w", tensor}}, {{"note", "x"}})},
                 {"state.json", text_file_writer("{}")}});
  const auto found = store.latest(keep_warnings());
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->step, 7);
  EXPECT_EQ(found->folder, root_ / "checkpoints" / "step-7");
  const auto file = read_tensor_file(found->folder / "model.safetensors");
  EXPECT_TRUE(at::equal(file.tensors.at("w"), tensor));
  EXPECT_EQ(file.metadata.at("note"), "x");
  EXPECT_EQ(read_text(root_ / "checkpoints" / "latest"), "step-7\n");
  EXPECT_EQ(warnings_, "");
}

TEST_F(CheckpointTest, KeepsTheNewest) {
  CheckpointStore store(root_, 2);
  for (const int64_t step : {10, 20, 30}) store.save(step, text_of("a"));
  EXPECT_FALSE(fs::exists(root_ / "step-10"));
  EXPECT_TRUE(fs::exists(root_ / "step-20"));
  EXPECT_EQ(store.latest()->step, 30);
}

TEST_F(CheckpointTest, TheLastSaveIsTheNewestAfterGoingBack) {
  CheckpointStore store(root_);
  for (const int64_t step : {100, 300, 200}) store.save(step, text_of("a"));
  EXPECT_EQ(store.latest()->step, 200);
}

TEST_F(CheckpointTest, ReplacesTheSameStep) {
  CheckpointStore store(root_);
  store.save(5, text_of("old"));
  store.save(5, text_of("new"));
  EXPECT_EQ(read_text(store.latest()->folder / "state.json"), "new");
  EXPECT_FALSE(fs::exists(root_ / "step-5.tmp"));
}

TEST_F(CheckpointTest, PassesOverDamageAndSaysWhy) {
  CheckpointStore store(root_, 9);
  for (const int64_t step : {1, 2, 3, 4, 5}) store.save(step, text_of("abc"));
  std::ofstream(root_ / "step-5" / "state.json") << "abd";
  std::ofstream(root_ / "step-4" / "state.json") << "abcd";
  fs::remove(root_ / "step-3" / "state.json");
  fs::remove(root_ / "step-2" / "manifest.json");
  const auto found = store.latest(keep_warnings());
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->step, 1);
  for (const char* part : {"step-5/state.json: its content does not have the SHA-256",
                           "step-4/state.json: expected 3 bytes, got 4", "step-3", "step-2"}) {
    EXPECT_NE(warnings_.find(part), std::string::npos) << part << " in\n" << warnings_;
  }
}

TEST_F(CheckpointTest, RefusesBrokenManifests) {
  const auto folder = root_ / "step-1";
  fs::create_directory(folder);
  const auto verify = [&] { verify_checkpoint(folder); };
  error_of(ErrorKind::kData, verify);
  std::ofstream(folder / "manifest.json") << "{\"format\": 1, \"step\": 1";
  error_of(ErrorKind::kFormat, verify);
  std::ofstream(folder / "manifest.json") << "{\"format\": 1, \"step\": \"x\"}";
  EXPECT_NE(error_of(ErrorKind::kFormat, verify).find("expected format, step"), std::string::npos);
  std::ofstream(folder / "manifest.json") << R"({"format": 2, "step": 1, "sequence": 1, "files": {}})";
  EXPECT_NE(error_of(ErrorKind::kFormat, verify).find("expected format 1, got 2"), std::string::npos);
  std::ofstream(folder / "manifest.json")
      << R"({"format": 1, "step": 1, "sequence": 1, "files": {"../x": {}}})";
  EXPECT_NE(error_of(ErrorKind::kFormat, verify).find("bad file name"), std::string::npos);
  std::ofstream(folder / "x") << "x";
  std::ofstream(folder / "manifest.json") << R"({"format": 1, "step": 1, "sequence": 1, "files": {"x": 3}})";
  EXPECT_NE(error_of(ErrorKind::kFormat, verify).find("expected size and sha256"), std::string::npos);
}

TEST_F(CheckpointTest, RefusesBadArguments) {
  error_of(ErrorKind::kUsage, [&] { CheckpointStore(root_, 0); });
  CheckpointStore store(root_);
  error_of(ErrorKind::kUsage, [&] { store.save(-1, text_of("a")); });
  error_of(ErrorKind::kUsage, [&] { store.save(1, {{"a/b", text_file_writer("")}}); });
  error_of(ErrorKind::kUsage, [&] { store.save(1, {{"manifest.json", text_file_writer("")}}); });
}

TEST_F(CheckpointTest, AFailingWriterLeavesTheOldOnes) {
  CheckpointStore store(root_);
  store.save(1, text_of("a"));
  const auto message = error_of(ErrorKind::kData, [&] {
    store.save(2, {{"a.txt", text_file_writer("fine")},
                   {"b.txt", [](const fs::path&) { fail(ErrorKind::kData, "no such luck"); }}});
  });
  EXPECT_NE(message.find("no such luck"), std::string::npos) << message;
  EXPECT_NE(message.find("older checkpoints are intact"), std::string::npos) << message;
  EXPECT_EQ(store.latest(keep_warnings())->step, 1);
  EXPECT_FALSE(fs::exists(root_ / "step-2.tmp"));
  EXPECT_EQ(warnings_, "");
}

TEST_F(CheckpointTest, AFileSizeLimitLeavesTheOldOnes) {
  CheckpointStore store(root_);
  store.save(1, blob_of(1 << 16, 'a'));
  rlimit old{};
  getrlimit(RLIMIT_FSIZE, &old);
  const rlimit tight{1 << 18, old.rlim_max};
  const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
  setrlimit(RLIMIT_FSIZE, &tight);
  const auto message = error_of(ErrorKind::kData, [&] { store.save(2, blob_of(1 << 20, 'b')); });
  setrlimit(RLIMIT_FSIZE, &old);
  std::signal(SIGXFSZ, old_handler);
  EXPECT_NE(message.find("File too large"), std::string::npos) << message;
  EXPECT_EQ(store.latest()->step, 1);
}

TEST_F(CheckpointTest, AFullDiskLeavesTheOldOnes) {
  if (::mount("tmpfs", root_.c_str(), "tmpfs", 0, "size=1m") != 0)
    GTEST_SKIP() << "cannot mount a small tmpfs";
  {
    CheckpointStore store(root_);
    store.save(1, blob_of(400 << 10, 'a'));
    const auto message = error_of(ErrorKind::kData, [&] { store.save(2, blob_of(900 << 10, 'b')); });
    EXPECT_NE(message.find("No space left"), std::string::npos) << message;
    EXPECT_NE(message.find("hint: free some space"), std::string::npos) << message;
    EXPECT_EQ(store.latest()->step, 1);
    store.save(3, blob_of(400 << 10, 'c'));
    EXPECT_EQ(store.latest()->step, 3) << "the failed save must have given its space back";
  }
  ::umount(root_.c_str());
}

// A child saves without end and acknowledges each save; it is killed at random instants.
void save_until_killed(const fs::path& root, int64_t from, int acknowledge) {
  CheckpointStore store(root, 2);
  for (int64_t step = from;; ++step) {
    store.save(step, blob_of(1 << 20, static_cast<char>('a' + step % 26)));
    if (::write(acknowledge, &step, sizeof step) != sizeof step) _exit(1);
  }
}

// Each kill comes after the child's first save of the round and within about one more, so that it falls into
// a save however slow the machine is.
TEST_F(CheckpointTest, SurvivesKillsAtRandomInstants) {
  constexpr int kRounds = 40;
  std::mt19937 random(1);
  CheckpointStore store(root_, 2);
  store.save(0, blob_of(1 << 16, 'z'));
  int64_t acknowledged = 0, torn = 0;
  for (int round = 0; round < kRounds; ++round) {
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    const auto start = std::chrono::steady_clock::now();
    const pid_t child = fork();
    if (child == 0) save_until_killed(root_, acknowledged + 1, ends[1]);
    ::close(ends[1]);
    ASSERT_EQ(::read(ends[0], &acknowledged, sizeof acknowledged), ssize_t{sizeof acknowledged});
    const std::chrono::duration<double, std::micro> one_save = std::chrono::steady_clock::now() - start;
    usleep(static_cast<useconds_t>(one_save.count() * static_cast<double>(random() % 1000) / 1000));
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    for (int64_t step = 0; ::read(ends[0], &step, sizeof step) == sizeof step;) acknowledged = step;
    ::close(ends[0]);
    for (const auto& entry : fs::directory_iterator(root_))
      torn += entry.path().extension() == ".tmp" ? 1 : 0;
    const auto found = store.latest(keep_warnings());
    ASSERT_TRUE(found.has_value()) << "round " << round;
    ASSERT_GE(found->step, acknowledged) << "round " << round;
    ASSERT_EQ(warnings_, "") << "round " << round;
    acknowledged = found->step;
  }
  EXPECT_GE(acknowledged, kRounds);
  EXPECT_GT(torn, kRounds / 8) << "too few kills fell into a save for this test to mean something";
  store.save(acknowledged + 1, blob_of(1 << 16, 'y'));
  for (const auto& entry : fs::directory_iterator(root_)) {
    EXPECT_EQ(entry.path().string().find(".tmp"), std::string::npos) << entry.path() << " was left behind";
  }
}

}  // namespace
}  // namespace ldm
