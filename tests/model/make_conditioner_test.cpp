#include "ldm/model/make_conditioner.h"

#include <ATen/ATen.h>

#include "ldm/config/yaml.h"
#include "ldm/model/map_conditioner.h"
#include "ldm/nn/timestep_embedding.h"
#include "tests/model/tiny_model.h"

namespace ldm {
namespace {

using Sizes = std::vector<int64_t>;

std::shared_ptr<Conditioner> made(const std::string& yaml, ConditionerSetting setting) {
  setting.vocabulary = tiny_vocabulary();
  auto out = make_conditioner(parse_yaml(std::string_view(yaml), "c.yaml"), setting, "c");
  if (out) out->eval();
  return out;
}

Conditioning encoded(const std::shared_ptr<Conditioner>& conditioner,
                     const std::vector<Condition>& conditions) {
  return conditioner->encode(conditions);
}

constexpr char kWords[] =
    "{target: text_transformer, params: {n_embed: 32, n_layer: 1, vocab_size: 10, max_seq_len: 6, heads: 2}}";

TEST(MakeConditioner, RescalesMaps) {
  const auto conditioner =
      made("{target: spatial_rescaler, params: {n_stages: 2, in_channels: 5, out_channels: 3}}",
           {.wiring = {.concat = true}});
  const Condition map{.picture = at::rand({5, 16, 16})};
  EXPECT_EQ(encoded(conditioner, {map, map}).concat.sizes(), (Sizes{2, 3, 4, 4}));
  EXPECT_EQ(conditioner->named_parameters().keys(), std::vector<std::string>{"channel_mapper.weight"});
  EXPECT_TRUE(has(thrown(ErrorKind::kUsage, [&] { encoded(conditioner, {Condition{}}); }), "needs a map"));
  const Condition smaller{.picture = at::rand({5, 8, 8})};
  EXPECT_TRUE(has(thrown(ErrorKind::kUsage,
                         [&] {
                           encoded(conditioner, {map, smaller});
                         }),
                  "the same shape"));
}

TEST(MakeConditioner, TheFirstStageMayBeOne) {
  const auto stage = tiny_first_stage();
  const ConditionerSetting setting{.wiring = {.concat = true}, .first_stage = stage, .concat_channels = 4};
  const auto conditioner = made("__is_first_stage__", setting);
  torch::NoGradGuard no_grad;
  const auto picture = at::rand({3, 16, 16}) * 2 - 1;
  EXPECT_TRUE(at::equal(encoded(conditioner, {Condition{.picture = picture}}).concat,
                        stage->encode(picture.unsqueeze(0))));
  EXPECT_TRUE(conditioner->parameters().empty());
}

TEST(MakeConditioner, OneChannelMoreIsInpainting) {
  const auto stage = tiny_first_stage();
  const ConditionerSetting setting{.wiring = {.concat = true}, .first_stage = stage, .concat_channels = 5};
  torch::NoGradGuard no_grad;
  const auto picture = at::rand({3, 16, 16}) * 2 - 1;
  auto mask = at::zeros({1, 16, 16});
  mask.narrow(2, 8, 8).fill_(1);
  const Condition condition{.picture = picture, .mask = mask};
  const auto out = encoded(made("__is_first_stage__", setting), {condition}).concat;
  auto black = picture.unsqueeze(0).clone();
  black.narrow(3, 8, 8).fill_(-1);
  EXPECT_TRUE(at::equal(out.narrow(1, 0, 4), stage->encode(black)));
  EXPECT_TRUE(at::equal(out[0][4][0], at::tensor({-1.0F, -1.0F, 1.0F, 1.0F})));
  // Stable Diffusion's: the mask first, grey instead of black, scaled latents.
  const FirstStageConditioner stable(stage, PictureStyle::kStableInpaint, 0.5);
  black.narrow(3, 8, 8).fill_(0);
  const auto other = stable.encode(std::vector<Condition>{condition}).concat;
  EXPECT_TRUE(at::equal(other.narrow(1, 1, 4), stage->encode(black) * 0.5));
  EXPECT_TRUE(at::equal(other[0][0][0], at::tensor({0.0F, 0.0F, 1.0F, 1.0F})));
}

TEST(MakeConditioner, RefusesPicturesThatDoNotFit) {
  const ConditionerSetting setting{
      .wiring = {.concat = true}, .first_stage = tiny_first_stage(), .concat_channels = 5};
  const auto conditioner = made("first_stage", setting);
  const auto encode = [&](const Condition& c) {
    return thrown(ErrorKind::kUsage, [&] { encoded(conditioner, {c}); });
  };
  EXPECT_TRUE(has(encode({}), "needs a picture"));
  EXPECT_TRUE(has(encode({.picture = at::zeros({3, 16, 16})}), "needs a mask"));
  EXPECT_TRUE(has(encode({.picture = at::zeros({3, 16, 16}), .mask = at::zeros({1, 8, 8})}), "[1, 16, 16]"));
  auto other = setting;
  other.concat_channels = 7;
  EXPECT_TRUE(has(thrown(ErrorKind::kUsage, [&] { made("first_stage", other); }), "has 7 beyond"));
}

TEST(MakeConditioner, IdentityGivesWhatIsWired) {
  const Condition condition{
      .label = 2, .picture = at::rand({3, 4, 4}), .embeddings = at::rand({2, 8}), .vector = at::rand({6})};
  const auto identity = [&](const Wiring& wiring, int64_t classes) {
    return encoded(made("torch.nn.Identity", {.wiring = wiring, .context_dim = 8, .classes = classes}),
                   {condition});
  };
  const auto map = identity({.concat = true}, 0);
  EXPECT_TRUE(at::equal(map.concat[0], condition.picture));
  EXPECT_FALSE(map.context.defined() || map.y.defined());
  EXPECT_TRUE(at::equal(identity({.context = true}, 0).context[0], condition.embeddings));
  EXPECT_TRUE(at::equal(identity({.y = true}, 0).y[0], condition.vector));
  EXPECT_TRUE(at::equal(identity({.y = true}, 5).y, at::tensor({2}, at::kLong)));
}

TEST(MakeConditioner, RetrievalsNullIsZeros) {
  const auto identity = made("identity", {.wiring = {.context = true}, .context_dim = 8});
  const Condition some{.embeddings = at::rand({2, 8})};
  const auto mixed = encoded(identity, {some, Condition{}}).context;
  EXPECT_EQ(mixed.sizes(), (Sizes{2, 2, 8}));
  EXPECT_EQ(mixed[1].abs().max().item<float>(), 0.0F);
  const auto null = encoded(identity, {Condition{}});
  EXPECT_EQ(null.context.sizes(), (Sizes{1, 1, 8}));
  EXPECT_EQ(join_batches(null, {.context = mixed}).context.sizes(), (Sizes{3, 2, 8}));
}

TEST(MakeConditioner, SizesAreSines) {
  const auto sizes = made("{target: size_embedder, input_key: crop_coords_top_left, params: {outdim: 8}}",
                          {.wiring = {.y = true}});
  Condition condition;
  condition.frame.crop_top_left = {5, 70};
  const auto y = encoded(sizes, {condition}).y;
  EXPECT_TRUE(at::equal(y, timestep_embedding(at::tensor({5.0, 70.0}), 8).view({1, 16})));
  EXPECT_TRUE(has(thrown(ErrorKind::kUsage,
                         [] {
                           made("{target: size_embedder, input_key: txt, params: {outdim: 8}}",
                                {.wiring = {.y = true}});
                         }),
                  "got 'txt'"));
}

std::string list_of(const std::string& members, const std::string& more = "") {
  return "{target: conditioner_list, params: {emb_models: [" + members + "]" + more + "}}";
}

TEST(MakeConditioner, AListJoinsItsMembersChannels) {
  const auto size =
      std::string("{target: size_embedder, input_key: target_size_as_tuple, params: {outdim: 8}}");
  const auto list = made(list_of(std::string(kWords) + ", " + kWords + ", " + size + ", " + size),
                         {.wiring = {.context = true}});
  const auto out = encoded(list, {Condition{.caption = "red disc"}});
  EXPECT_EQ(out.context.sizes(), (Sizes{1, 6, 64}));
  EXPECT_EQ(out.y.sizes(), (Sizes{1, 32}));
  EXPECT_TRUE(list->named_parameters().contains("embedders.1.transformer.norm.weight"));
  EXPECT_TRUE(list->takes_words() && list->has_null());
  EXPECT_EQ(list->vocabulary(), tiny_vocabulary());
  EXPECT_TRUE(has(list->complaint("green"), "never seen"));
}

TEST(MakeConditioner, AnEmptyCaptionMayBeZeros) {
  const std::vector<Condition> two{{.caption = "red"}, {.caption = ""}};
  const auto plain = made(list_of(kWords), {.wiring = {.context = true}})->encode(two);
  const auto zeroed =
      made(list_of(kWords, ", zero_when_empty: true"), {.wiring = {.context = true}})->encode(two);
  EXPECT_GT(plain.context[1].abs().max().item<float>(), 0.0F);
  EXPECT_GT(zeroed.context[0].abs().max().item<float>(), 0.0F);
  EXPECT_EQ(zeroed.context[1].abs().max().item<float>(), 0.0F);
}

TEST(MakeConditioner, HybridIsAMapAndWords) {
  const auto hybrid =
      made("{target: hybrid, params: {c_concat_config: {target: identity}, c_crossattn_config: " +
               std::string(kWords) + "}}",
           {.wiring = {.concat = true, .context = true}});
  const auto out = encoded(hybrid, {Condition{.caption = "red", .picture = at::rand({3, 4, 4})}});
  EXPECT_NO_THROW(check_wired(parse_wiring("hybrid"), out));
  EXPECT_TRUE(hybrid->named_parameters().contains("crossattn_conditioner.transformer.norm.weight"));
}

TEST(MakeConditioner, LayoutsAreTokens) {
  const auto layout = made(
      "{target: text_transformer, params: {n_embed: 32, n_layer: 1, vocab_size: 10, max_seq_len: 6, heads: "
      "2, "
      "use_tokenizer: false}}",
      {.wiring = {.context = true}});
  EXPECT_FALSE(layout->takes_words());
  EXPECT_EQ(encoded(layout, {Condition{.tokens = at::tensor({1, 2, 9})}}).context.sizes(), (Sizes{1, 3, 32}));
  EXPECT_TRUE(has(thrown(ErrorKind::kUsage, [&] { encoded(layout, {Condition{}}); }), "needs tokens"));
}

TEST(MakeConditioner, RefusesWhatIsNone) {
  const auto refused = [](const std::string& yaml) {
    return thrown(ErrorKind::kUsage, [&] { made(yaml, {.wiring = {.context = true}}); });
  };
  EXPECT_TRUE(has(refused("{target: unet, params: {}}"), "expected a conditioner, got 'unet'"));
  EXPECT_TRUE(has(refused(list_of("")), "at least one"));
  EXPECT_TRUE(has(refused(list_of("{target: unconditional}")), "got unconditional"));
  EXPECT_EQ(made("__is_unconditional__", {}), nullptr);
}

TEST(Wiring, NamesAreTheOriginals) {
  EXPECT_FALSE(parse_wiring("").any());
  EXPECT_TRUE(parse_wiring("hybrid-adm").concat && parse_wiring("hybrid-adm").context);
  EXPECT_TRUE(parse_wiring("adm").y && !parse_wiring("adm").context);
  EXPECT_TRUE(has(thrown(ErrorKind::kUsage, [] { parse_wiring("crossatn"); }), "'crossattn'"));
  const Conditioning tokens{.context = at::zeros({1, 1, 8})};
  EXPECT_TRUE(
      has(thrown(ErrorKind::kUsage, [&] { check_wired({.concat = true}, tokens); }), "concat (a map)"));
  EXPECT_TRUE(has(thrown(ErrorKind::kUsage, [&] { check_wired({}, tokens); }), "not wired for: crossattn"));
}

// Repeating all tokens alike leaves attention as it is.
TEST(Conditioning, JoinsContextsOfDifferentLengths) {
  const Conditioning a{.context = at::rand({1, 2, 4})}, b{.context = at::rand({1, 3, 4})};
  const auto joined = join_batches(a, b).context;
  EXPECT_EQ(joined.sizes(), (Sizes{2, 6, 4}));
  EXPECT_TRUE(at::equal(joined[1].narrow(0, 3, 3), b.context[0]));
}

}  // namespace
}  // namespace ldm
