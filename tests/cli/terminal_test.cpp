#include "cli/terminal.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

namespace ldm::cli {
namespace {

// A stream to look at and a clock to set.
class TerminalTest : public ::testing::Test {
 protected:
  std::ostringstream out_;
  double now_s_ = 100.0;
};

TEST_F(TerminalTest, ShortWorkShowsOnlyItsEndAsALine) {
  Terminal terminal(out_, false, 60, [this] { return now_s_; });
  for (int64_t i = 0; i <= 4; ++i, now_s_ += 0.1) terminal.show({"sampling", i, 4, ""});
  const std::string text = out_.str();
  EXPECT_EQ(text.rfind("sampling: 4/4 (100%)", 0), 0u) << text;
  EXPECT_EQ(text.find('\n'), text.size() - 1) << text;
}

TEST_F(TerminalTest, LongWorkShowsALineNowAndThen) {
  Terminal terminal(out_, false, 60, [this] { return now_s_; });
  for (int64_t i = 0; i < 600; ++i, now_s_ += 1.0) terminal.show({"training", i, 1000, ""});
  const std::string text = out_.str();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 13)
      << text;  // After 2, 6, 14, 30, 62 s, then each minute.
  EXPECT_EQ(text.find('\r'), std::string::npos);
}

TEST_F(TerminalTest, ABarIsRedrawnInPlaceAndStaysAtTheEnd) {
  Terminal terminal(out_, true, 60, [this] { return now_s_; });
  for (int64_t i = 1; i <= 3; ++i, now_s_ += 1.0) terminal.show({"sampling", i, 3, ""});
  const std::string text = out_.str();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\r'), 3) << text;
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1) << text;
  EXPECT_NE(text.find("100%"), std::string::npos) << text;
}

TEST_F(TerminalTest, ABarIsNotDrawnMoreThanTenTimesASecond) {
  Terminal terminal(out_, true, 60, [this] { return now_s_; });
  for (int64_t i = 1; i <= 1000; ++i, now_s_ += 0.001) terminal.show({"sampling", i, 2000, ""});
  const std::string text = out_.str();
  EXPECT_LE(std::count(text.begin(), text.end(), '\r'), 11);
}

TEST_F(TerminalTest, AMessageWipesTheBar) {
  Terminal terminal(out_, true, 60, [this] { return now_s_; });
  terminal.show({"sampling", 1, 3, ""});
  out_.str("");
  terminal.message(LogLevel::kWarning, "mind the gap");
  const std::string text = out_.str();
  EXPECT_EQ(text.front(), '\r');
  EXPECT_NE(text.find("\rwarning: mind the gap\n"), std::string::npos) << text;
}

TEST_F(TerminalTest, EndBarLeavesTheBarAlone) {
  Terminal terminal(out_, true, 60, [this] { return now_s_; });
  terminal.end_bar();
  EXPECT_EQ(out_.str(), "");
  terminal.show({"sampling", 1, 3, ""});
  terminal.end_bar();
  EXPECT_EQ(out_.str().back(), '\n');
}

}  // namespace
}  // namespace ldm::cli
