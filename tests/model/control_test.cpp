#include "ldm/model/control.h"

#include <ATen/ATen.h>

#include <fstream>

#include "ldm/io/file.h"
#include "ldm/io/json.h"
#include "ldm/model/controlnet_file.h"
#include "ldm/model/diffusers_names.h"
#include "tests/io/temporary_folder.h"
#include "tests/model/tiny_model.h"

namespace ldm {
namespace {

namespace fs = std::filesystem;

// All weights random: its own start has no effect.
std::shared_ptr<ControlNet> random_control(const UNetOptions& unet) {
  at::manual_seed(3);
  torch::NoGradGuard no_grad;
  auto network = std::make_shared<ControlNet>(ControlNetOptions{.unet = unet});
  for (auto& parameter : network->parameters()) parameter.copy_(at::randn_like(parameter) * 0.1);
  network->eval();
  return network;
}

std::shared_ptr<const Control> control_of(const std::shared_ptr<ControlNet>& network, double strength) {
  at::manual_seed(4);
  return std::make_shared<const Control>(
      Control{.network = network, .hint = at::rand({1, 3, 32, 32}), .strength = strength});
}

Conditioning encode_caption(const LatentDiffusion& model, const std::string& caption) {
  return model.encode(std::vector<Condition>(2, Condition{.caption = caption}));
}

class ControlTest : public testing::Test {
 protected:
  torch::NoGradGuard no_grad_;
  std::shared_ptr<LatentDiffusion> model_ = tiny_model("text");
  std::shared_ptr<ControlNet> network_ = random_control(model_->unet().options());
  Conditioning condition_ = encode_caption(*model_, "red disc");
  torch::Tensor x_ = at::randn({2, 4, 4, 4}), t_ = at::full({2}, 7.0);
};

TEST_F(ControlTest, IsTheSumOfItsResidualsInsideTheUNet) {
  const auto control = control_of(network_, 0.7);
  auto residuals = network_->forward(x_, control->hint.expand({2, -1, -1, -1}), t_, condition_.context);
  for (auto& residual : residuals) residual = residual * 0.7;
  const auto expected = model_->unet().forward(x_, t_, condition_.context, {}, residuals);
  const auto plain = model_->predict(x_, t_, condition_);
  condition_.controls = {control};
  EXPECT_TRUE(at::equal(model_->predict(x_, t_, condition_), expected));
  EXPECT_FALSE(at::allclose(plain, expected, 1e-3, 1e-3)) << "the control has no effect";
  // Two of half the strength are one.
  condition_.controls = {control_of(network_, 0.3), control_of(network_, 0.4)};
  EXPECT_TRUE(at::allclose(model_->predict(x_, t_, condition_), expected, 1e-4, 1e-5));
}

TEST_F(ControlTest, WithoutStrengthThereIsNone) {
  const auto plain = model_->predict(x_, t_, condition_);
  condition_.controls = {control_of(network_, 0.0)};
  EXPECT_TRUE(at::equal(model_->predict(x_, t_, condition_), plain));
}

// As in the original, with and without the condition.
TEST_F(ControlTest, SteersBothHalvesOfGuidance) {
  auto empty = encode_caption(*model_, "");
  condition_.controls = empty.controls = {control_of(network_, 1.0)};
  const auto both = join_batches(empty, condition_);
  const auto joined = model_->denoiser(both)(at::cat({x_, x_}), at::full({4}, 2.0, at::kDouble));
  const auto sigma = at::full({2}, 2.0, at::kDouble);
  const auto apart = at::cat({model_->denoiser(empty)(x_, sigma), model_->denoiser(condition_)(x_, sigma)});
  EXPECT_TRUE(at::allclose(joined, apart, 1e-4, 1e-5));
  empty.controls.clear();
  EXPECT_TRUE(has(thrown(ErrorKind::kUsage, [&] { join_batches(empty, condition_); }), "same controls"));
}

TEST_F(ControlTest, AHintOfAnotherSizeIsRefused) {
  condition_.controls = {std::make_shared<const Control>(
      Control{.network = network_, .hint = at::zeros({1, 3, 16, 32}), .strength = 1.0})};
  EXPECT_TRUE(has(thrown(ErrorKind::kUsage, [&] { model_->predict(x_, t_, condition_); }), "hint"));
}

class ControlFileTest : public ControlTest {
 protected:
  // The same network in a folder of diffusers.
  void write_folder(const std::string& config) {
    const auto map = diffusers_controlnet_names(model_->unet().options());
    StateDict tensors;
    for (const auto& [name, tensor] : state_dict(*network_)) tensors[*map.to_theirs(name)] = tensor;
    fs::create_directories(folder_ / "control");
    write_tensor_file(folder_ / "control/diffusion_pytorch_model.safetensors", tensors);
    write_file_atomic(folder_ / "control/config.json", config);
  }
  void expect_same(const fs::path& path) {
    const auto got = state_dict(*load_controlnet(path, model_->unet().options()));
    for (const auto& [name, tensor] : state_dict(*network_))
      EXPECT_TRUE(at::equal(got.at(name), tensor)) << path << ' ' << name;
  }
  TemporaryFolder folder_;
};

TEST_F(ControlFileTest, BothNamingsAreRead) {
  auto tensors = state_dict(*network_, "control_model.");
  tensors["model.diffusion_model.out.2.bias"] = at::zeros({4});  // A whole model around it.
  write_tensor_file(folder_ / "original.safetensors", tensors);
  expect_same(folder_ / "original.safetensors");
  write_tensor_file(folder_ / "bare.safetensors", state_dict(*network_));
  expect_same(folder_ / "bare.safetensors");
  write_folder(R"({"_class_name": "ControlNetModel", "controlnet_conditioning_channel_order": "rgb"})");
  expect_same(folder_ / "control");
  expect_same(folder_ / "control/diffusion_pytorch_model.safetensors");
}

TEST_F(ControlFileTest, WhatDoesNotFitIsRefused) {
  const auto& unet = model_->unet().options();
  const auto load = [&](const char* name) { load_controlnet(folder_ / name, unet); };
  auto tensors = state_dict(*network_, "control_model.");
  tensors.erase("control_model.zero_convs.0.0.weight");
  tensors["control_model.nobody"] = at::zeros({1});
  write_tensor_file(folder_ / "part.safetensors", tensors);
  const auto table = thrown(ErrorKind::kFormat, [&] { load("part.safetensors"); });
  EXPECT_TRUE(has(table, "zero_convs.0.0.weight") && has(table, "nobody")) << table;
  write_tensor_file(folder_ / "other.safetensors", {{"model.weight", at::zeros({1})}});
  EXPECT_TRUE(has(thrown(ErrorKind::kFormat, [&] { load("other.safetensors"); }), "expected a ControlNet"));
  write_folder(R"({"controlnet_conditioning_channel_order": "bgr"})");
  EXPECT_TRUE(has(thrown(ErrorKind::kFormat, [&] { load("control"); }), "channel_order"));
  auto wider = unet;
  wider.model_channels = 64;
  const auto wrong = thrown(ErrorKind::kFormat, [&] {
    load_controlnet(folder_ / "control/diffusion_pytorch_model.safetensors", wider);
  });
  EXPECT_TRUE(has(wrong, "another kind of model")) << wrong;
}

}  // namespace
}  // namespace ldm
