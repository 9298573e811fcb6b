#include "ldm/image/plot.h"

#include <cmath>
#include <limits>

#include "ldm/image/axis.h"
#include "ldm/image/font.h"
#include "tests/image/fixtures.h"

namespace ldm {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// Pixels close to a colour.
int64_t count(const Image& image, Rgb colour) {
  int64_t n = 0;
  for (size_t i = 0; i < image.pixels.size(); i += 3) {
    n += image.pixels[i] == colour[0] && image.pixels[i + 1] == colour[1] && image.pixels[i + 2] == colour[2];
  }
  return n;
}

constexpr Rgb kFirstColour{0, 114, 178}, kSecondColour{213, 94, 0};

TEST(Plot, DrawsEachSeriesInItsColour) {
  const std::vector<PlotSeries> series{{"loss", {0, 1, 2}, {3, 2, 1}}, {"", {0, 2}, {1, 1.5}}};
  const Image image = plot_lines(series, {.title = "t", .x_label = "step", .y_label = "loss"});
  EXPECT_EQ(image.width, 960);
  EXPECT_EQ(image.height, 540);
  EXPECT_GT(count(image, kFirstColour), 500);
  EXPECT_GT(count(image, kSecondColour), 500);
}

TEST(Plot, ManySeriesAreToldApartByStrokes) {
  std::vector<PlotSeries> series;
  for (double i = 0; i < 8; ++i) series.push_back({"name", {0, 1}, {i, i}});
  const Image all = plot_lines(series);
  const auto plain = [](std::vector<PlotSeries> one) { return count(plot_lines(one), kFirstColour); };
  // The eighth has the first one's colour with gaps, so that both together are less than two lines.
  const auto line = plain({series[0]});
  EXPECT_GT(count(all, kFirstColour), line * 5 / 4);
  EXPECT_LT(count(all, kFirstColour), line * 7 / 4);
}

TEST(Plot, SkipsWhatCannotBeDrawn) {
  const double inf = std::numeric_limits<double>::infinity();
  const std::vector<PlotSeries> series{{"", {0, 1, 2, 3, 4}, {kNan, inf, -1, 0, kNan}}};
  EXPECT_EQ(count(plot_lines(series, {.log_y = true}), kFirstColour), 0);
  EXPECT_GT(count(plot_lines(series), kFirstColour), 0);
  EXPECT_NO_THROW(plot_lines({}));
  EXPECT_NO_THROW(
      plot_lines(std::vector<PlotSeries>{{"one point", {1}, {1e-300}}}, {.log_x = true, .log_y = true}));
  EXPECT_NO_THROW(plot_lines(std::vector<PlotSeries>{{"huge", {0, 1}, {-9e299, 9e299}}}));
}

TEST(Plot, RefusesWrongInput) {
  const std::vector<PlotSeries> uneven{{"a", {1, 2}, {1}}};
  test::expect_error(ErrorKind::kUsage, "2 x and 1 y", [&] { plot_lines(uneven); });
  test::expect_error(ErrorKind::kUsage, "200..8192", [] { plot_lines({}, {.width = 10}); });
}

TEST(Axis, RoundTicks) {
  const std::vector<double> values{0.03, 0.97};
  const PlotAxis axis({&values}, false);
  EXPECT_EQ(axis.position(0.03), 0.0);
  EXPECT_EQ(axis.position(0.97), 1.0);
  const auto ticks = axis.ticks(5);
  ASSERT_EQ(ticks.size(), 4u);
  EXPECT_DOUBLE_EQ(ticks[0], 0.2);
  EXPECT_DOUBLE_EQ(ticks[3], 0.8);
}

TEST(Axis, LogTicks) {
  const std::vector<double> values{0.001, 10, -5, kNan};
  const PlotAxis axis({&values}, true);
  EXPECT_DOUBLE_EQ(axis.position(0.1), 0.5);
  EXPECT_FALSE(axis.drawable(-5));
  EXPECT_EQ(axis.ticks(8).size(), 5u);
}

TEST(Axis, Labels) {
  EXPECT_EQ(tick_label(0), "0");
  EXPECT_EQ(tick_label(0.05), "0.05");
  EXPECT_EQ(tick_label(5000), "5000");
  EXPECT_EQ(tick_label(250000), "250k");
  EXPECT_EQ(tick_label(1.5e6), "1.5M");
  EXPECT_EQ(tick_label(1e-5), "1e-05");
}

TEST(Font, DrawsAndCuts) {
  Image image = make_image(20, 10, 3, 255);
  draw_text(image, 0, 0, "I");
  EXPECT_EQ(count(image, kBlack), 11);  // Two serifs of 3 and a stem of 5.
  EXPECT_NO_THROW(draw_text(image, -100, 8, "outside \u732b", kBlack, 3));
  EXPECT_NO_THROW(draw_text_upwards(image, 15, 100, "outside", kBlack, 3));
  EXPECT_EQ(text_width("a\u732b", 2), 24);
  Image grey = make_image(4, 4, 1);
  test::expect_error(ErrorKind::kUsage, "RGB", [&] { draw_text(grey, 0, 0, "a"); });
}

}  // namespace
}  // namespace ldm
