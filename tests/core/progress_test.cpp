#include "ldm/core/progress.h"

#include <gtest/gtest.h>

#include <limits>

namespace ldm {
namespace {

RateMeter steady(double units_per_s, int64_t done) {
  RateMeter meter;
  meter.update(0, 100.0);
  meter.update(done, 100.0 + static_cast<double>(done) / units_per_s);
  return meter;
}

TEST(RateMeter, KnowsNothingBeforeTwoUpdates) {
  RateMeter meter;
  EXPECT_EQ(meter.rate(), 0.0);
  meter.update(5, 1.0);
  EXPECT_EQ(meter.rate(), 0.0);
  EXPECT_FALSE(meter.eta_s(10));
  meter.update(6, 1.0);  // No time has passed.
  EXPECT_EQ(meter.rate(), 0.0);
}

TEST(RateMeter, GivesASteadyRateExactly) {
  RateMeter meter;
  for (int i = 0; i <= 20; ++i) meter.update(2 * i, 0.5 * i);
  EXPECT_NEAR(meter.rate(), 4.0, 1e-12);
  EXPECT_NEAR(*meter.eta_s(100), 15.0, 1e-9);
  EXPECT_EQ(*meter.eta_s(10), 0.0) << "already done";
}

TEST(RateMeter, FollowsAChangeOfSpeed) {
  RateMeter meter(/*memory_s=*/5.0);
  for (int i = 0; i <= 10; ++i) meter.update(i, i);
  for (int i = 1; i <= 30; ++i) meter.update(10 + 10 * i, 10 + i);
  EXPECT_NEAR(meter.rate(), 10.0, 0.1);
}

TEST(RateMeter, StartsAnewWhenTheCountFalls) {
  RateMeter meter = steady(2.0, 10);
  meter.update(0, 200.0);
  EXPECT_EQ(meter.rate(), 0.0);
}

TEST(FormatDuration, ReadsAsAClock) {
  EXPECT_EQ(format_duration(7), "0:07");
  EXPECT_EQ(format_duration(59.6), "1:00");
  EXPECT_EQ(format_duration(750), "12:30");
  EXPECT_EQ(format_duration(3723), "1:02:03");
  EXPECT_EQ(format_duration(2 * 86400 + 3 * 3600 + 245), "2d 03:04:05");
  EXPECT_EQ(format_duration(-1), "-:--");
  EXPECT_EQ(format_duration(std::numeric_limits<double>::quiet_NaN()), "-:--");
}

TEST(FormatRate, TurnsOverBelowOne) {
  EXPECT_EQ(format_rate(3.416, "it"), "3.42 it/s");
  EXPECT_EQ(format_rate(1234.5, "images"), "1234 images/s");
  EXPECT_EQ(format_rate(0.5, "images"), "2.00 s/image");
  EXPECT_EQ(format_rate(0.0, "it"), "");
}

TEST(ProgressLine, SaysAll) {
  EXPECT_EQ(progress_line({"sampling", 20, 50, "seed 7"}, steady(4.0, 20)),
            "sampling: 20/50 (40%), 4.00 it/s, ETA 0:08, seed 7");
  EXPECT_EQ(progress_line({"reading", 3, 0, ""}, RateMeter()), "reading: 3");
  EXPECT_EQ(progress_line({"sampling", 50, 50, ""}, steady(4.0, 50)), "sampling: 50/50 (100%), 4.00 it/s");
}

TEST(ProgressLine, SaysHowLongASlowStepTakes) {
  EXPECT_EQ(progress_line({"sampling", 2, 4, ""}, steady(0.25, 2)),
            "sampling: 2/4 (50%), 4.00 s/it, ETA 0:08");
}

TEST(ProgressLine, NamesWhatIsCounted) {
  EXPECT_EQ(progress_line({"encoding", 50, 50, "", "images"}, steady(4.0, 50)),
            "encoding: 50/50 (100%), 4.00 images/s");
  EXPECT_EQ(progress_line({"encoding", 2, 4, "", "images"}, steady(0.25, 2)),
            "encoding: 2/4 (50%), 4.00 s/image, ETA 0:08");
}

TEST(ProgressBar, FillsByTheShareDone) {
  EXPECT_EQ(progress_bar({"sampling", 20, 50, ""}, steady(4.0, 20)),
            "sampling  40% [############..................] 20/50  4.00 it/s  ETA 0:08");
  EXPECT_EQ(progress_bar({"x", 0, 4, ""}, RateMeter()), "x   0% [..............................] 0/4");
  EXPECT_EQ(progress_bar({"x", 9, 4, ""}, RateMeter()), "x 100% [##############################] 9/4");
}

TEST(ProgressBar, FitsTheTerminal) {
  const Progress state{"training", 123456, 1000000, "loss 0.1834 grad 1.02"};
  for (int64_t columns = 0; columns <= 120; ++columns) {
    const std::string bar = progress_bar(state, steady(4.0, 123456), columns);
    EXPECT_LE(bar.size(), static_cast<size_t>(columns));
    EXPECT_EQ(bar.find('\n'), bar.npos);
  }
}

TEST(ProgressBar, CutsNoCharacterInTwo) {
  const Progress state{"\xE6\xBC\xA2\xE5\xAD\x97", 1, 0, ""};  // Two characters of three bytes.
  EXPECT_EQ(progress_bar(state, RateMeter(), 5), "\xE6\xBC\xA2");
}

TEST(Report, AnEmptyFunctionDropsIt) {
  report({}, {});
  int64_t seen = 0;
  report([&](const Progress& p) { seen = p.done; }, {"", 3, 4, ""});
  EXPECT_EQ(seen, 3);
}

}  // namespace
}  // namespace ldm
