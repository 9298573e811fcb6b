#include "ldm/core/memory.h"

#include <gtest/gtest.h>

#include "ldm/core/error.h"

namespace ldm {
namespace {

TEST(Memory, ReadsAmounts) {
  EXPECT_EQ(parse_memory("4G", "--memory"), int64_t{4} << 30);
  EXPECT_EQ(parse_memory("2.5GiB", "--memory"), int64_t{5} << 29);
  EXPECT_EQ(parse_memory("512M", "--memory"), 512 << 20);
  EXPECT_EQ(parse_memory("300kb", "--memory"), 300 << 10);
  EXPECT_EQ(parse_memory("1t", "--memory"), int64_t{1} << 40);
  EXPECT_EQ(parse_memory("4096", "--memory"), 4096);
  EXPECT_EQ(parse_memory("17B", "--memory"), 17);
  EXPECT_EQ(parse_memory("0", "--memory"), 0);
}

TEST(Memory, RefusesOtherTexts) {
  for (const auto* text :
       {"", "G", "4X", "-1G", "4Gb/s", "4 G", "nan", "inf", "1e30G", "9000000T", "0x10", "4GiBB"}) {
    try {
      parse_memory(text, "--memory");
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kUsage);
      EXPECT_EQ(std::string(error.what()),
                "--memory: expected an amount of memory such as 512M, 4G or 2.5GiB, got '" +
                    std::string(text) + "'");
    }
  }
}

TEST(Memory, WritesAmounts) {
  EXPECT_EQ(format_memory(17), "17 bytes");
  EXPECT_EQ(format_memory(int64_t{5} << 29), "2.5 GiB");
  EXPECT_EQ(format_memory(512 << 20), "512 MiB");
  EXPECT_EQ(format_memory(int64_t{1} << 50), "1024 TiB");
}

TEST(Memory, AsksTheKernel) {
  EXPECT_EQ(parse_mem_available("MemTotal: 10 kB\nMemAvailable:    2048 kB\nBuffers: 1 kB\n"), 2048 << 10);
  EXPECT_EQ(parse_mem_available("MemTotal: 10 kB\n"), std::nullopt);
  const auto now = available_memory();
  ASSERT_TRUE(now.has_value());
  EXPECT_GT(*now, 0);
  EXPECT_LT(*now, int64_t{1} << 50);
}

}  // namespace
}  // namespace ldm
