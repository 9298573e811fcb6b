#include "ldm/pipeline/bind_prompt.h"

#include <ATen/ATen.h>

#include <vector>

#include "ldm/pipeline/generator.h"
#include "tests/model/tiny_model.h"

namespace ldm {
namespace {

torch::Tensor at_step(const std::string& prompt, int64_t step, const std::string& negative = "") {
  const torch::NoGradGuard no_grad;
  GenerateRequest request{.prompt = prompt, .negative_prompt = negative};
  const auto model = tiny_model("text");
  const auto bound = bind_prompt(*model, request, /*steps=*/10, /*first=*/0, /*n=*/1, /*guided=*/true);
  *bound.step = step;
  at::manual_seed(3);
  const auto x = at::randn({1, 4, 4, 4});
  return bound.both(at::cat({x, x}), at::full({2}, 1.5));
}

bool same(const torch::Tensor& a, const torch::Tensor& b) { return at::allclose(a, b, 1e-4, 1e-5); }

TEST(BindPrompt, FollowsTheSchedule) {
  EXPECT_TRUE(same(at_step("[red:blue:4] disc", 4), at_step("red disc", 4)));
  EXPECT_TRUE(same(at_step("[red:blue:4] disc", 5), at_step("blue disc", 5)));
  EXPECT_FALSE(same(at_step("red disc", 5), at_step("blue disc", 5)));
  EXPECT_TRUE(same(at_step("disc", 8, "[red|blue]"), at_step("disc", 8, "blue")));
}

TEST(BindPrompt, AndAddsWhatEachPromptChanges) {
  const auto red = at_step("red", 1).chunk(2), blue = at_step("blue", 1).chunk(2);
  const auto both = at_step("red:1.5 AND blue:-0.5", 1).chunk(2);
  EXPECT_TRUE(same(both[0], red[0]));
  EXPECT_TRUE(same(both[1], red[0] + 1.5 * (red[1] - red[0]) - 0.5 * (blue[1] - blue[0])));
  // Without an AND a number after a colon is text.
  EXPECT_TRUE(same(at_step("red", 1), at_step("red AND blue:0", 1)));
  EXPECT_FALSE(same(at_step("red", 1), at_step("red:2", 1)));
}

TEST(BindPrompt, GenerationFollowsTheSchedule) {
  GenerateRequest request{.prompt = "[red:blue:2] disc", .seed = 5};
  request.sampling.steps = 4;
  const auto picture = [&](const std::string& prompt) {
    request.prompt = prompt;
    return Generator(tiny_model("text")).generate(request)[0].image.pixels;
  };
  const auto changing = picture("[red:blue:2] disc");
  EXPECT_NE(changing, picture("red disc"));
  EXPECT_NE(changing, picture("blue disc"));
  EXPECT_EQ(picture("[red:blue:4] disc"), picture("red disc"));
  EXPECT_EQ(picture("[red:blue:0] disc"), picture("blue disc"));

  // Shares are of the steps that are drawn, whatever `steps` says.
  request.sampling = {.steps = 30, .sigmas = {5, 2, 1, 0.5, 0}};
  EXPECT_EQ(picture("[red:blue:0.5] disc"), picture("[red:blue:2] disc"));
  EXPECT_NE(picture("[red:blue:0.5] disc"), picture("red disc"));
}

}  // namespace
}  // namespace ldm
