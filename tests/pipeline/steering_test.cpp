#include "ldm/pipeline/steering.h"

#include <ATen/ATen.h>

#include <filesystem>
#include <fstream>

#include "ldm/image/resample.h"
#include "ldm/nn/state_dict.h"
#include "ldm/pipeline/generator.h"
#include "ldm/pipeline/pictures.h"
#include "tests/model/tiny_model.h"

namespace ldm {
namespace {

const char kClassifierConfig[] = R"(model:
  target: encoder_unet
  params: {image_size: 4, in_channels: 4, out_channels: 3, model_channels: 32, num_res_blocks: 1, attention_resolutions: [], channel_mult: [1], num_heads: 1}
)";

EncoderUNetOptions classifier_settings(int64_t channels = 4) {
  return {.unet = {.image_size = 4,
                   .in_channels = channels,
                   .model_channels = 32,
                   .out_channels = 3,
                   .num_res_blocks = {1},
                   .channel_mult = {1},
                   .num_heads = 1}};
}

// With weights from a seed, also where training starts at zero.
std::shared_ptr<EncoderUNet> classifier_network(int64_t channels = 4) {
  at::manual_seed(3);
  const auto network = std::make_shared<EncoderUNet>(classifier_settings(channels));
  const at::NoGradGuard no_grad;
  for (auto& p : network->parameters()) p.add_(at::randn_like(p) * 0.1);
  return network;
}

std::shared_ptr<NoisyClassifier> tiny_classifier(int64_t channels = 4) {
  return std::make_shared<NoisyClassifier>(classifier_network(channels), classifier_settings(channels));
}

GenerateRequest steered_request() {
  return {.prompt = "red disc", .seed = 5, .sampling = {.steps = 10}, .guidance = {.scale = 2.0}};
}

Image one_colour(int64_t side, uint8_t red) {
  auto out = make_image(side, side, 3);
  for (size_t i = 0; i < out.pixels.size(); i += 3) out.pixels[i] = red;
  return out;
}

double mean_square(const Image& a, const Image& b) {
  return (to_tensor(std::vector{a}) - to_tensor(std::vector{b})).square().mean().item<double>();
}

TEST(Steering, AClassifierLeadsToItsClass) {
  const auto model = tiny_model("text");
  const auto classifier = tiny_classifier();
  const auto x = at::randn({2, 4, 4, 4}), sigma = at::tensor({0.7, 3.0}, at::kDouble);
  const Denoiser plain = [](const torch::Tensor& at, const torch::Tensor&) { return at * 0.5; };
  for (int64_t label = 0; label < 3; ++label) {
    const SteerRequest r{.classifier = classifier, .label = label, .classifier_scale = 2.0};
    const auto steered = make_steering(*model, r, {16, 16, 4, 4})(plain)(x, sigma);
    const auto log_prob = classifier->log_prob(model->schedule(), label);
    const auto ahead = x + 1e-3 * (steered - plain(x, sigma));
    EXPECT_TRUE((log_prob(ahead, sigma) > log_prob(x, sigma)).all().item<bool>()) << label;
  }
}

TEST(Steering, AClassifierChangesWhatIsDrawn) {
  auto r = steered_request();
  const Generator generator(tiny_model("text"));
  const auto plain = generator.generate(r)[0].image;
  r.steer = {.classifier = tiny_classifier(), .label = 1, .classifier_scale = 0.0};
  EXPECT_LT(mean_square(generator.generate(r)[0].image, plain), 1e-5);
  r.steer.classifier_scale = 2000.0;
  EXPECT_GT(mean_square(generator.generate(r)[0].image, plain), 1e-4);
}

TEST(Steering, ThePictureIsApproached) {
  const Generator generator(tiny_model("text"));
  auto r = steered_request();
  r.seed = 9;
  const auto wanted = generator.generate(r)[0].image;  // Something that this model can draw.
  r.seed = 5;
  const double before = mean_square(generator.generate(r)[0].image, wanted);
  const auto nearer = [&](const SteerRequest& steer) {
    r.steer = steer;
    return mean_square(generator.generate(r)[0].image, wanted) < 0.9 * before;
  };
  const auto of_side = [&](int64_t side) { return resize(wanted, side, side, Filter::kBox); };
  EXPECT_TRUE(nearer({.picture = wanted, .picture_scale = 10}));
  EXPECT_TRUE(nearer({.picture = of_side(40), .picture_scale = 10}));  // Resized.
  EXPECT_TRUE(nearer({.picture = of_side(4), .picture_scale = 300}));  // The means of 4 x 4 pixels.
  const auto distance = [](const torch::Tensor& a, const torch::Tensor& b) {
    return (a - b).square().sum({1, 2, 3}, true) / 2;
  };
  EXPECT_TRUE(nearer({.picture = wanted, .picture_scale = 10, .distance = distance}));
}

TEST(Steering, ReadsClassifiersFromFiles) {
  const auto folder = std::filesystem::path(testing::TempDir()) / "steering";
  std::filesystem::create_directories(folder);
  const auto network = classifier_network();
  const auto x = at::randn({1, 4, 4, 4}), sigma = at::tensor({1.0}, at::kDouble);
  const NoiseSchedule schedule;
  const auto expected = tiny_classifier()->log_prob(schedule, 2)(x, sigma);
  const auto same = [&](const std::filesystem::path& path) {
    return at::allclose(load_noisy_classifier(path)->log_prob(schedule, 2)(x, sigma), expected);
  };
  write_tensor_file(folder / "a.safetensors", state_dict(*network), {{"ldm.config", kClassifierConfig}});
  EXPECT_TRUE(same(folder / "a.safetensors"));
  write_tensor_file(folder / "b.safetensors", state_dict(*network, "model."));
  const auto missing = thrown(ErrorKind::kData, [&] { load_noisy_classifier(folder / "b.safetensors"); });
  EXPECT_TRUE(has(missing, "b.yaml")) << missing;
  std::ofstream(folder / "b.yaml") << kClassifierConfig;
  EXPECT_TRUE(same(folder / "b.safetensors"));
  auto fewer = state_dict(*network);
  fewer.erase("out.3.bias");
  write_tensor_file(folder / "c.safetensors", fewer, {{"ldm.config", kClassifierConfig}});
  EXPECT_TRUE(has(thrown(ErrorKind::kFormat, [&] { load_noisy_classifier(folder / "c.safetensors"); }),
                  "out.3.bias"));
  write_tensor_file(folder / "d.safetensors", {{"x", x}}, {{"ldm.config", kClassifierConfig}});
  EXPECT_TRUE(has(thrown(ErrorKind::kFormat, [&] { load_noisy_classifier(folder / "d.safetensors"); }),
                  "time_embed"));
  std::filesystem::remove_all(folder);
}

TEST(SteeringErrors, SayWhatDoesNotFit) {
  const auto refusal = [](SteerRequest steer, const char* sampler = "ddim") {
    auto r = steered_request();
    r.sampler = sampler;
    r.steer = std::move(steer);
    return thrown(ErrorKind::kUsage, [&] { Generator(tiny_model("text")).generate(r); });
  };
  EXPECT_TRUE(has(refusal({.classifier = tiny_classifier(), .label = 3}), "0..2"));
  EXPECT_TRUE(has(refusal({.classifier = tiny_classifier(3), .label = 0}), "latents of 3 channels"));
  EXPECT_TRUE(has(refusal({.picture = one_colour(16, 0), .picture_scale = INFINITY}), "finite"));
  EXPECT_TRUE(has(refusal({.picture = one_colour(16, 0)}, "euler_cfgpp"), "without CFG++"));
}

}  // namespace
}  // namespace ldm
