#include "ldm/train/adamw.h"

#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "ldm/core/error.h"

namespace ldm {
namespace {

NamedParameters two_parameters() {
  auto a = at::tensor(at::ArrayRef<float>{-0.75F, -0.5F, -0.25F, 0.0F, 0.25F, 0.5F}).view({2, 3});
  auto b = at::tensor(at::ArrayRef<float>{0.5F, -0.75F});
  return {{"a", a.requires_grad_()}, {"b", b.requires_grad_()}};
}

// Gradients that are exact in float32, the same as in the Python run that made the numbers below.
void set_grads(const NamedParameters& parameters, int64_t k) {
  for (const auto& [name, parameter] : parameters) {
    auto grad = at::zeros(parameter.sizes());
    for (int64_t i = 0; i < parameter.numel(); ++i) {
      grad.data_ptr<float>()[i] = static_cast<float>((i * 7 + k * 3) % 5 - 2) * 0.25F;
    }
    parameter.mutable_grad() = grad;
  }
}

void five_steps(AdamW& optimizer, const NamedParameters& parameters, int64_t from = 0, int64_t to = 5) {
  for (int64_t k = from; k < to; ++k) {
    set_grads(parameters, k);
    if (k == 2) parameters[1].second.mutable_grad().reset();
    optimizer.step(0.01 * static_cast<double>(k + 1));
  }
}

void expect_values(const NamedParameters& parameters, const std::vector<float>& want) {
  size_t at = 0;
  for (const auto& [name, parameter] : parameters) {
    for (int64_t i = 0; i < parameter.numel(); ++i) {
      EXPECT_FLOAT_EQ(parameter.data_ptr<float>()[i], want[at++]) << name << "[" << i << "]";
    }
  }
}

template <typename Act>
void expect_error(ErrorKind kind, const std::string& part, Act act) {
  try {
    act();
    ADD_FAILURE() << "no error; expected: " << part;
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind);
    EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
  }
}

// Wanted values: torch.optim 2.13, fused=True, five steps with the learning rates and gradients above.
TEST(AdamW, EqualsTorchAdamW) {
  const auto parameters = two_parameters();
  AdamW optimizer(parameters);
  five_steps(optimizer, parameters);
  expect_values(parameters,
                {-0.7269508242607117F, -0.46510735154151917F, -0.27200138568878174F, 0.002767892088741064F,
                 0.21334891021251678F, 0.5211752653121948F, 0.4926398992538452F, -0.6971983909606934F});
  EXPECT_EQ(optimizer.state().at("a.step").item<float>(), 5);
  EXPECT_EQ(optimizer.state().at("b.step").item<float>(), 4) << "a step without gradient must not count";
}

TEST(AdamW, EqualsTorchAdam) {
  const auto parameters = two_parameters();
  AdamW optimizer(parameters, {.beta1 = 0.5, .beta2 = 0.9, .weight_decay = 0, .decoupled = false});
  five_steps(optimizer, parameters);
  expect_values(parameters,
                {-0.7618146538734436F, -0.4908428192138672F, -0.241162970662117F, 0.006815222557634115F,
                 0.23851324617862701F, 0.4881853461265564F, 0.46535250544548035F, -0.7138662934303284F});
}

TEST(AdamW, EqualsTorchAdamWithL2) {
  const auto parameters = two_parameters();
  AdamW optimizer(parameters, {.weight_decay = 0.1, .decoupled = false});
  five_steps(optimizer, parameters);
  expect_values(parameters,
                {-0.7032101154327393F, -0.43935927748680115F, -0.26315808296203613F, 0.002678258577361703F,
                 0.20456668734550476F, 0.5035209655761719F, 0.4803759455680847F, -0.674871027469635F});
}

TEST(AdamW, SparesOneDimensionalParametersFromDecay) {
  const auto parameters = two_parameters();
  AdamW optimizer(parameters, {.weight_decay = 0.5, .decay_1d = false});
  for (const auto& [name, parameter] : parameters) parameter.mutable_grad() = at::zeros(parameter.sizes());
  optimizer.step(0.1);
  expect_values(parameters, {-0.75F * 0.95F, -0.5F * 0.95F, -0.25F * 0.95F, 0.0F, 0.25F * 0.95F, 0.5F * 0.95F,
                             0.5F, -0.75F});
}

TEST(AdamW, GroupsHaveTheirOwnFactorOnTheRate) {
  const auto parameters = two_parameters();
  AdamW optimizer(std::vector<ParameterGroup>{{{parameters[0]}, 2.0}, {{parameters[1]}, 0.0}},
                  {.weight_decay = 0.5});
  for (const auto& [name, parameter] : parameters) parameter.mutable_grad() = at::zeros(parameter.sizes());
  optimizer.step(0.1);
  EXPECT_FLOAT_EQ(parameters[0].second.data_ptr<float>()[0], -0.75F * 0.9F);
  EXPECT_FLOAT_EQ(parameters[1].second.data_ptr<float>()[0], 0.5F);
}

TEST(AdamW, ResumesBitForBit) {
  const auto whole = two_parameters();
  AdamW whole_optimizer(whole);
  five_steps(whole_optimizer, whole);

  const auto first = two_parameters();
  AdamW first_optimizer(first);
  five_steps(first_optimizer, first, 0, 3);
  NamedParameters second;
  for (const auto& [name, p] : first) second.emplace_back(name, p.detach().clone().requires_grad_());
  AdamW second_optimizer(second);
  second_optimizer.load_state(first_optimizer.state());
  five_steps(second_optimizer, second, 3, 5);

  for (size_t i = 0; i < whole.size(); ++i) EXPECT_TRUE(at::equal(whole[i].second, second[i].second));
  for (const auto& [name, value] : whole_optimizer.state()) {
    EXPECT_TRUE(at::equal(value, second_optimizer.state().at(name))) << name;
  }
}

TEST(AdamW, FollowsTheLayoutOfTheParameter) {
  const auto make = [](bool channels_last) {
    auto p = at::full({2, 2, 2, 2}, 0.5F);
    return (channels_last ? p.contiguous(at::MemoryFormat::ChannelsLast) : p).requires_grad_();
  };
  NamedParameters plain{{"p", make(false)}}, last{{"p", make(true)}};
  AdamW plain_optimizer(plain), last_optimizer(last);
  set_grads(plain, 1);
  set_grads(last, 1);
  plain_optimizer.step(0.1);
  last_optimizer.step(0.1);
  EXPECT_TRUE(at::equal(plain[0].second, last[0].second));
}

TEST(AdamW, ZeroGradDropsGradients) {
  const auto parameters = two_parameters();
  AdamW optimizer(parameters);
  set_grads(parameters, 0);
  optimizer.zero_grad();
  EXPECT_FALSE(parameters[0].second.grad().defined());
}

TEST(AdamW, RefusesBadArguments) {
  const auto p = two_parameters();
  expect_error(ErrorKind::kUsage, "at least one parameter", [] { AdamW(NamedParameters{}); });
  expect_error(ErrorKind::kUsage, "'a' was given twice", [&] { AdamW(NamedParameters{p[0], p[0]}); });
  expect_error(ErrorKind::kUsage, "'d' is on cpu as Double", [&] {
    AdamW(NamedParameters{p[0], {"d", at::zeros({1}, torch::kDouble)}});
  });
  expect_error(ErrorKind::kUsage, "dense tensor", [] {
    AdamW(NamedParameters{{"i", at::zeros({1}, torch::kLong)}});
  });
  expect_error(ErrorKind::kUsage, "beta1", [&] { AdamW(p, {.beta1 = 1.0}); });
  expect_error(ErrorKind::kUsage, "beta2", [&] { AdamW(p, {.beta2 = -0.1}); });
  expect_error(ErrorKind::kUsage, "eps", [&] { AdamW(p, {.eps = -1}); });
  expect_error(ErrorKind::kUsage, "weight_decay", [&] { AdamW(p, {.weight_decay = -1}); });
  expect_error(ErrorKind::kUsage, "learning rate", [&] { AdamW(p).step(std::nan("")); });
}

TEST(AdamW, RefusesAStateThatDoesNotFit) {
  const auto p = two_parameters();
  AdamW optimizer(p);
  auto state = optimizer.state();
  state["a.exp_avg"] = at::zeros({3});
  expect_error(ErrorKind::kFormat, "expected shape [2, 3] for 'a.exp_avg'",
               [&] { optimizer.load_state(state); });
  state.erase("a.exp_avg");
  expect_error(ErrorKind::kFormat, "expected 'a.exp_avg'", [&] { optimizer.load_state(state); });
  state = optimizer.state();
  state["c.step"] = at::zeros({});
  expect_error(ErrorKind::kFormat, "unexpected 'c.step'", [&] { optimizer.load_state(state); });
}

TEST(ClipGradNorm, ScalesAsTorchDoes) {
  const NamedParameters p{{"p", at::zeros({2}).requires_grad_()}, {"q", at::zeros({1}).requires_grad_()}};
  p[0].second.mutable_grad() = at::tensor(at::ArrayRef<float>{3.0F, 4.0F});
  p[1].second.mutable_grad() = at::tensor(at::ArrayRef<float>{12.0F});
  const std::vector<torch::Tensor> list{p[0].second, p[1].second};
  EXPECT_DOUBLE_EQ(clip_grad_norm(list, 20.0), 13.0);
  EXPECT_EQ(p[0].second.grad().data_ptr<float>()[1], 4.0F) << "below the limit nothing changes";
  EXPECT_DOUBLE_EQ(clip_grad_norm(list, 6.5), 13.0);
  EXPECT_FLOAT_EQ(p[0].second.grad().data_ptr<float>()[0], 1.4999998807907104F);
  EXPECT_FLOAT_EQ(p[1].second.grad().data_ptr<float>()[0], 5.999999523162842F);
}

TEST(ClipGradNorm, LeavesWhatIsNotFiniteAlone) {
  const auto p = at::zeros({2}).requires_grad_();
  EXPECT_EQ(clip_grad_norm({p}, 1.0), 0.0);
  p.mutable_grad() = at::tensor(at::ArrayRef<float>{std::numeric_limits<float>::infinity(), 4.0F});
  EXPECT_TRUE(std::isinf(clip_grad_norm({p}, 1.0)));
  EXPECT_EQ(p.grad().data_ptr<float>()[1], 4.0F);
  expect_error(ErrorKind::kUsage, "max_norm > 0", [&] { clip_grad_norm({p}, 0.0); });
}

}  // namespace
}  // namespace ldm
