#include <gtest/gtest.h>
#include <sys/resource.h>

#include <chrono>
#include <filesystem>
#include <iostream>

#include "ldm/core/error.h"
#include "ldm/core/random.h"
#include "ldm/io/file.h"
#include "ldm/io/gguf.h"
#include "ldm/io/json.h"
#include "ldm/io/npy.h"
#include "ldm/io/safetensors.h"
#include "ldm/io/torch_file.h"
#include "ldm/io/weight_index.h"
#include "tests/io/hostile_cases.h"

namespace ldm {
namespace {

using testing::HostileCase;

void read(const HostileCase& file) {
  const auto bytes = as_bytes(file.bytes);
  switch (file.reader) {
    case HostileCase::Reader::kSafetensors:
      parse_safetensors(bytes);
      break;
    case HostileCase::Reader::kTorch:
      parse_torch_file(bytes);
      break;
    case HostileCase::Reader::kNpy:
      parse_npy(bytes);
      break;
    case HostileCase::Reader::kNpz:
      parse_npz(bytes);
      break;
    case HostileCase::Reader::kGguf:
      parse_gguf(bytes);
      break;
    case HostileCase::Reader::kIndex:
      parse_weight_index(bytes, "index.json");
      break;
    case HostileCase::Reader::kJson:
      parse_json(bytes, "a.json");
      break;
  }
}

// What the reader said; "" if it took the file. Anything else than an error of format fails the test.
std::string answer(const HostileCase& file) {
  try {
    read(file);
    return "";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kFormat) << file.name << ": " << error.what();
    return error.what();
  }
}

int64_t peak_memory_kib() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

TEST(Hostile, GoodFilesAreTaken) {
  for (const auto& file : testing::good_cases()) EXPECT_EQ(answer(file), "") << file.name;
}

TEST(Hostile, EveryCaseIsRefusedWithOneLine) {
  const auto cases = testing::hostile_cases();
  EXPECT_GE(cases.size(), 1000U);
  size_t largest = 0;
  for (const auto& file : cases) largest = std::max(largest, file.bytes.size());
  const auto before = peak_memory_kib();
  for (const auto& file : cases) {
    const auto start = std::chrono::steady_clock::now();
    const std::string said = answer(file);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    EXPECT_NE(said, "") << file.name << " was taken";
    EXPECT_EQ(said.find('\n'), said.npos) << said;
    EXPECT_LT(said.size(), 400U) << said;
    EXPECT_LT(took.count(), 5.0) << file.name;
  }
  // 64 MiB, and the sanitizers' own.
  EXPECT_LT(peak_memory_kib() - before, 400 << 10) << "the largest file has " << largest << " bytes";
  EXPECT_FALSE(std::filesystem::exists("/tmp/ldm_hostile_marker"));
  RecordProperty("cases", static_cast<int>(cases.size()));
  std::cout << cases.size() << " hostile files, each refused\n";
}

// A changed byte may make another good file; it must never do worse than an error.
TEST(Hostile, DamagedFilesNeverCrash) {
  Random random(7);
  for (const auto& good : testing::good_cases()) {
    for (int i = 0; i < 3000; ++i) {
      auto file = good;
      for (int k = 0; k <= i % 3; ++k) {
        const auto at = random.below(static_cast<int64_t>(file.bytes.size()));
        file.bytes[static_cast<size_t>(at)] = static_cast<char>(random.next());
      }
      answer(file);
    }
  }
}

}  // namespace
}  // namespace ldm
