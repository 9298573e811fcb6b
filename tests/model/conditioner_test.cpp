#include "ldm/model/conditioner.h"

#include <ATen/ATen.h>

#include "ldm/model/class_conditioner.h"
#include "ldm/model/text_conditioner.h"
#include "tests/model/tiny_model.h"

namespace ldm {
namespace {

const std::vector<Condition> kTwo{{.caption = "red disc"}, {.caption = ""}};

TEST(TextConditioner, GivesTokensAndWithAdmTheirMean) {
  const auto plain = tiny_model("text")->encode(kTwo);
  EXPECT_EQ(plain.context.sizes(), (std::vector<int64_t>{2, 6, 32}));
  EXPECT_FALSE(plain.y.defined());
  const auto pooled = tiny_model("text-adm")->encode(kTwo);
  ASSERT_TRUE(pooled.y.defined());
  EXPECT_EQ(pooled.y.sizes(), (std::vector<int64_t>{2, 32}));
  // The first caption has four tokens with [CLS] and [SEP], the second these two alone.
  EXPECT_TRUE(at::allclose(pooled.y[0], pooled.context[0].narrow(0, 0, 4).mean(0), 1e-4, 1e-5));
  EXPECT_TRUE(at::allclose(pooled.y[1], pooled.context[1].narrow(0, 0, 2).mean(0), 1e-4, 1e-5));
}

TEST(TextConditioner, TokenizesWithPadding) {
  const auto model = tiny_model("text");
  const auto& conditioner = dynamic_cast<const TextConditioner&>(*model->conditioner());
  const auto tokens = conditioner.tokenize(kTwo).ids.select(1, 0);
  EXPECT_TRUE(at::equal(tokens[0], at::tensor({2, 4, 6, 3, 0, 0}, at::kLong)));
  EXPECT_TRUE(at::equal(tokens[1], at::tensor({2, 3, 0, 0, 0, 0}, at::kLong)));
  EXPECT_EQ(conditioner.vocabulary(), tiny_vocabulary());
}

TEST(TextConditioner, ComplainsOfLongAndUnknownPrompts) {
  const auto model = tiny_model("text");
  EXPECT_EQ(model->conditioner()->complaint("red disc"), "");
  EXPECT_TRUE(has(model->conditioner()->complaint("red red red red red"),
                  "5 pieces: it is read in 2 parts of at most 4"));
  EXPECT_TRUE(has(model->conditioner()->complaint("red green"), "never seen the characters of 'green'"));
  const auto words =
      model->conditioner()->complaint("green green " + std::string(5000, 'z') + " ga gb gc gd ge");
  EXPECT_TRUE(has(words, "of 'green', '" + std::string(100, 'z') + "...', 'ga', 'gb', 'gc' and 2 more;"))
      << words;
}

TEST(ClassConditioner, GivesOneTokenAClass) {
  const auto model = tiny_model("class");
  const auto out = model->encode(std::vector<Condition>{{.label = 0}, {.label = 2}, {.label = -1}});
  EXPECT_EQ(out.context.sizes(), (std::vector<int64_t>{3, 1, 32}));
  EXPECT_TRUE(at::equal(out.context[1], out.context[2])) << "-1 is the null class";
  EXPECT_FALSE(at::equal(out.context[0], out.context[1]));
  EXPECT_EQ(model->conditioner()->classes(), 3);
  EXPECT_TRUE(model->conditioner()->has_null());
  EXPECT_FALSE(tiny_model("class-only")->conditioner()->has_null());
}

TEST(ClassConditioner, RefusesWhatItDoesNotKnow) {
  const auto label = [](const char* kind, int64_t k) {
    return thrown(ErrorKind::kUsage, [&] { tiny_model(kind)->encode(std::vector<Condition>{{.label = k}}); });
  };
  EXPECT_TRUE(has(label("class", 3), "expected a class in 0..2, got 3"));
  EXPECT_TRUE(has(label("class-only", -1), "no null class"));
  EXPECT_TRUE(has(thrown(ErrorKind::kUsage,
                         [] {
                           ClassConditioner({32, 3, "class", 3});
                         }),
                  "null_class in 0..2, got 3"));
  EXPECT_TRUE(
      has(thrown(ErrorKind::kUsage, [] { ClassConditioner({.embed_dim = 0}); }), "positive embed_dim"));
}

TEST(Conditioning, ConcatenatesEqualKindsAlone) {
  const auto model = tiny_model("text-adm");
  const auto one = model->encode(kTwo);
  const auto both = join_batches(one, one);
  EXPECT_EQ(both.context.size(0), 4);
  EXPECT_EQ(both.y.size(0), 4);
  EXPECT_TRUE(has(thrown(ErrorKind::kUsage, [&] { join_batches(one, Conditioning{}); }), "different kinds"));
}

}  // namespace
}  // namespace ldm
