#include "ldm/core/error.h"

#include <gtest/gtest.h>

#include "ldm/core/log.h"
#include "ldm/core/stop.h"

namespace ldm {
namespace {

TEST(Error, CarriesKindAndOneLine) {
  try {
    check(false, ErrorKind::kFormat, "read_png: expected ", 8, " bytes, got ", 3);
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kFormat);
    EXPECT_STREQ(error.what(), "read_png: expected 8 bytes, got 3");
  }
}

TEST(Error, WithoutAKindTheCallerIsToBlame) {
  try {
    check(false, "sample: expected steps > 0, got ", 0);
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
  }
  EXPECT_NO_THROW(check(true, "never"));
}

TEST(StopToken, CopiesShareTheFlag) {
  const StopToken token, copy = token, other;
  token.request();
  EXPECT_TRUE(copy.requested());
  EXPECT_FALSE(other.requested());
}

TEST(Log, AnEmptySinkDropsMessages) {
  log_info({}, "nobody hears");
  LogLevel seen = LogLevel::kInfo;
  std::string text;
  log_warning([&](LogLevel level, std::string_view message) { seen = level, text = message; },
              "disk is slow");
  EXPECT_EQ(seen, LogLevel::kWarning);
  EXPECT_EQ(text, "disk is slow");
}

}  // namespace
}  // namespace ldm
