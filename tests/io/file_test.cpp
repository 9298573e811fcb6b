#include "ldm/io/file.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <functional>
#include <string>

#include "ldm/core/error.h"
#include "tests/io/temporary_folder.h"

namespace ldm {
namespace {

ErrorKind kind_of(const std::function<void()>& action, std::string* message = nullptr) {
  try {
    action();
  } catch (const Error& error) {
    if (message) *message = error.what();
    return error.kind();
  }
  ADD_FAILURE() << "nothing was thrown";
  return ErrorKind::kInternal;
}

TEST(File, WhatIsWrittenIsRead) {
  const TemporaryFolder folder;
  const std::string text("some\0bytes\n", 11);
  write_file_atomic(folder / "a", text);
  EXPECT_EQ(read_text(folder / "a"), text);
  EXPECT_EQ(as_text(read_file(folder / "a", 100)), text);
  EXPECT_EQ(as_text(MappedFile(folder / "a").bytes()), text);
  write_file_atomic(folder / "a", "new");
  EXPECT_EQ(read_text(folder / "a"), "new");
  EXPECT_EQ(folder.count(), 1u) << "no temporary file is left";
}

TEST(File, EmptyFilesAreFiles) {
  const TemporaryFolder folder;
  write_file_atomic(folder / "a", "");
  EXPECT_TRUE(MappedFile(folder / "a").bytes().empty());
  EXPECT_EQ(read_text(folder / "a"), "");
  EXPECT_TRUE(MappedFile().bytes().empty());
}

TEST(File, ANameWithoutAFolderIsHere) {
  const TemporaryFolder folder;
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(folder.path());
  write_file_atomic("plain", "x");
  EXPECT_EQ(read_text("plain"), "x");
  std::filesystem::current_path(before);
}

TEST(File, ReadingIsCapped) {
  const TemporaryFolder folder;
  write_file_atomic(folder / "a", "12345");
  EXPECT_EQ(read_text(folder / "a", 5), "12345");
  std::string message;
  EXPECT_EQ(kind_of([&] { read_text(folder / "a", 4); }, &message), ErrorKind::kFormat);
  EXPECT_NE(message.find("expected at most 4 bytes, got 5"), message.npos) << message;
}

TEST(File, OnlyRegularFilesAreRead) {
  const TemporaryFolder folder;
  for (const auto& path : {folder / "missing", folder.path(), std::filesystem::path("/dev/null")}) {
    EXPECT_EQ(kind_of([&] { read_text(path); }), ErrorKind::kData) << path;
    EXPECT_EQ(kind_of([&] { MappedFile file(path); }), ErrorKind::kData) << path;
  }
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  EXPECT_EQ(kind_of([&] { read_text(folder / "pipe"); }), ErrorKind::kData) << "and a pipe does not block";
}

TEST(MappedFile, CopiesShareTheMemoryAndOutliveTheFile) {
  const TemporaryFolder folder;
  write_file_atomic(folder / "a", "old");
  MappedFile copy;
  {
    const MappedFile file(folder / "a");
    copy = file;
    EXPECT_EQ(copy.bytes().data(), file.bytes().data());
  }
  write_file_atomic(folder / "a", "new content");
  EXPECT_EQ(as_text(copy.bytes()), "old") << "a replaced file stays whole for who has it open";
  const auto owner = copy.owner();
  const auto bytes = copy.bytes();
  copy = MappedFile();
  EXPECT_EQ(as_text(bytes), "old") << "the owner keeps the memory";
}

TEST(AtomicFile, WithoutCommitNothingHappens) {
  const TemporaryFolder folder;
  write_file_atomic(folder / "a", "old");
  {
    AtomicFile file(folder / "a");
    file.write("half of the new");
    EXPECT_EQ(read_text(folder / "a"), "old");
  }
  EXPECT_EQ(read_text(folder / "a"), "old");
  EXPECT_EQ(folder.count(), 1u);
}

TEST(AtomicFile, PiecesAreJoined) {
  const TemporaryFolder folder;
  AtomicFile file(folder / "a");
  file.write("one ");
  file.write(as_bytes("two"));
  file.commit();
  EXPECT_EQ(read_text(folder / "a"), "one two");
  EXPECT_THROW(file.write("three"), Error);
  EXPECT_THROW(file.commit(), Error);
}

TEST(AtomicFile, RefusesPlacesThatCannotBeWritten) {
  const TemporaryFolder folder;
  EXPECT_EQ(kind_of([&] { write_file_atomic(folder / "no" / "a", "x"); }), ErrorKind::kData);
  std::filesystem::create_directory(folder / "taken");
  EXPECT_EQ(kind_of([&] { write_file_atomic(folder / "taken", "x"); }), ErrorKind::kData);
  EXPECT_EQ(folder.count(), 1u) << "no temporary file is left";
}

TEST(AtomicFile, NeverTakesThePlaceOfADevice) {
  const TemporaryFolder folder;
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  std::string message;
  EXPECT_EQ(kind_of([&] { write_file_atomic(folder / "pipe", "x"); }, &message), ErrorKind::kData);
  EXPECT_NE(message.find("a device or a pipe"), std::string::npos) << message;
  EXPECT_TRUE(std::filesystem::is_fifo(folder / "pipe"));
}

TEST(AtomicFile, RefusesToReplaceWhatCameMeanwhile) {
  const TemporaryFolder folder;
  AtomicFile file(folder / "a");
  file.write("mine");
  write_file_atomic(folder / "a", "theirs");
  std::string message;
  EXPECT_EQ(kind_of([&] { file.commit(IfThere::kRefuse); }, &message), ErrorKind::kData);
  EXPECT_NE(message.find("nothing was written over"), message.npos) << message;
  EXPECT_EQ(read_text(folder / "a"), "theirs");
  write_file_atomic(folder / "b", "free", IfThere::kRefuse);
  EXPECT_EQ(read_text(folder / "b"), "free");
}

// A process whose files may not grow past a limit meets a write that fails halfway, as on a full disk.
int write_under_limit(const std::filesystem::path& path) {
  const pid_t child = ::fork();
  if (child == 0) {
    const rlimit limit{1 << 16, 1 << 16};
    ::signal(SIGXFSZ, SIG_IGN);
    ::setrlimit(RLIMIT_FSIZE, &limit);
    try {
      write_file_atomic(path, std::string(1 << 20, 'x'));
    } catch (const Error& error) {
      const bool kept = std::string(error.what()).find("the old file is kept") != std::string::npos;
      ::_exit(error.kind() == ErrorKind::kData ? (kept ? 7 : 9) : 8);
    }
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(AtomicFile, AFailedWriteKeepsTheOldFile) {
  const TemporaryFolder folder;
  write_file_atomic(folder / "a", "old");
  EXPECT_EQ(write_under_limit(folder / "a"), 7);
  EXPECT_EQ(read_text(folder / "a"), "old");
  EXPECT_EQ(folder.count(), 1u) << "no temporary file is left";
  EXPECT_EQ(write_under_limit(folder / "b"), 9) << "and where there was none, none is said to be kept";
}

// A file of the whole disk's size; needs a small file system, named by the environment.
TEST(AtomicFile, AFullDiskKeepsTheOldFile) {
  const char* small = std::getenv("LDM_TEST_SMALL_DISK");
  if (!small) GTEST_SKIP() << "LDM_TEST_SMALL_DISK names no small file system";
  const auto path = std::filesystem::path(small) / "a";
  write_file_atomic(path, "old");
  const auto space = std::filesystem::space(small);
  std::string message;
  EXPECT_EQ(
      kind_of([&] { write_file_atomic(path, std::string(space.available + (1 << 20), 'x')); }, &message),
      ErrorKind::kData);
  EXPECT_NE(message.find("hint: free some space"), message.npos) << message;
  EXPECT_EQ(read_text(path), "old");
}

TEST(RenameSynced, MovesFilesAndFolders) {
  const TemporaryFolder folder;
  write_file_atomic(folder / "a", "x");
  rename_synced(folder / "a", folder / "b");
  EXPECT_EQ(read_text(folder / "b"), "x");
  std::filesystem::create_directory(folder / "step.tmp");
  rename_synced(folder / "step.tmp", folder / "step");
  EXPECT_TRUE(std::filesystem::is_directory(folder / "step"));
  EXPECT_EQ(kind_of([&] { rename_synced(folder / "a", folder / "c"); }), ErrorKind::kData);
  EXPECT_EQ(kind_of([&] { sync_folder(folder / "none"); }), ErrorKind::kData);
}

}  // namespace
}  // namespace ldm
