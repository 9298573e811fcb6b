#include "ldm/diffusion/samplers.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

#include "ldm/diffusion/spacing.h"
#include "tests/diffusion/expect_usage_error.h"

namespace ldm {
namespace {

constexpr double kDataStd = 0.7;

// The exact denoiser of N(0, kDataStd^2) data.
torch::Tensor gaussian(const torch::Tensor& x, const torch::Tensor& sigma) {
  const auto s2 = sigma.square().view({-1, 1, 1, 1});
  return (x * (kDataStd * kDataStd / (kDataStd * kDataStd + s2))).to(x.scalar_type());
}

NoiseFn seeded_noise() {
  return [](const torch::Tensor& like) { return at::randn_like(like); };
}

// Error at the end of the path from 10 to 0.1 against the exact solution of the ODE.
double path_error(const SamplerInfo& info, int64_t steps) {
  auto sigmas = sigmas_exponential(steps + 1, 0.1, 10.0);
  sigmas.pop_back();
  const auto x = at::ones({1, 1, 1, 1}, at::kDouble);
  SampleOptions options;
  options.eta = 0.0;
  const double got = info.run(gaussian, x, sigmas, {}, options).item<double>();
  const double v = kDataStd * kDataStd;
  return std::abs(got - std::sqrt((v + 0.01) / (v + 100.0)));
}

double slope(const char* name) {
  const auto& info = find_sampler(name);
  return std::log2(path_error(info, 64) / path_error(info, 128));
}

TEST(Samplers, OrderOfAccuracy) {
  EXPECT_NEAR(slope("euler"), 1.0, 0.1);
  EXPECT_NEAR(slope("euler_a"), 1.0, 0.1);  // With eta 0 it is Euler.
  EXPECT_NEAR(slope("ddim"), 1.0, 0.1);
  EXPECT_NEAR(slope("heun"), 2.0, 0.1);
  EXPECT_NEAR(slope("dpmpp_2m"), 2.0, 0.2);
  EXPECT_GT(slope("plms"), 1.7);  // The improved-Euler start and the uneven levels limit its fourth order.
}

TEST(Samplers, EverySamplerDrawsTheDataDistribution) {
  at::manual_seed(7);
  ScheduleOptions o;
  o.linear_start = 0.00085;
  o.linear_end = 0.012;
  const NoiseSchedule schedule(o);
  for (const auto& info : samplers()) {
    SamplerRun run;
    run.noise = seeded_noise();
    SampleOptions options;
    options.steps = 200;
    const auto noise = at::randn({20000, 1, 1, 1});
    const auto x = sample(info, gaussian, schedule, noise, options, run);
    EXPECT_NEAR(x.std().item<double>(), kDataStd, 0.03) << info.name;
    EXPECT_NEAR(x.mean().item<double>(), 0.0, 0.03) << info.name;
  }
}

TEST(Samplers, EveryStepCountIsKeptAndReported) {
  const NoiseSchedule schedule;
  for (const auto& info : samplers()) {
    for (const int64_t steps : {1, 2, 3, 7, 300}) {
      int64_t events = 0, calls = 0;
      const Denoiser counted = [&](const torch::Tensor& x, const torch::Tensor& sigma) {
        ++calls;
        return gaussian(x, sigma);
      };
      SamplerRun run;
      run.noise = seeded_noise();
      run.on_step = [&](const StepEvent& e) {
        EXPECT_EQ(e.step, events++);
        EXPECT_EQ(e.steps, steps);
      };
      SampleOptions options;
      options.steps = steps;
      const auto x = sample(info, counted, schedule, at::ones({2, 1, 2, 2}), options, run);
      EXPECT_TRUE(x.isfinite().all().item<bool>()) << info.name << " " << steps;
      EXPECT_EQ(events, steps) << info.name;
      EXPECT_GE(calls, steps);
      EXPECT_LE(calls, steps * info.calls_per_step + 1);
    }
  }
}

TEST(Samplers, ZeroTerminalSnrStartsFromHugeButFiniteNoise) {
  ScheduleOptions o;
  o.zero_terminal_snr = true;
  const NoiseSchedule schedule(o);
  for (const auto& info : samplers()) {
    SamplerRun run;
    run.noise = seeded_noise();
    SampleOptions options;
    options.steps = 20;
    options.spacing = "trailing";
    const auto x = sample(info, gaussian, schedule, at::randn({4, 1, 2, 2}), options, run);
    EXPECT_LT(x.abs().max().item<double>(), 10.0) << info.name;
  }
}

TEST(Samplers, AFixedNoiseGivesAFixedResult) {
  const NoiseSchedule schedule;
  SamplerRun run;
  run.noise = [](const torch::Tensor& like) { return at::ones_like(like); };
  const auto noise = at::ones({1, 1, 2, 2});
  for (const auto& info : samplers()) {
    const auto a = sample(info, gaussian, schedule, noise, {.steps = 5}, run);
    EXPECT_TRUE(at::equal(a, sample(info, gaussian, schedule, noise, {.steps = 5}, run))) << info.name;
    EXPECT_TRUE(at::equal(noise, at::ones({1, 1, 2, 2}))) << info.name << " writes to its input";
  }
}

TEST(Samplers, StopReturnsBeforeTheNextStep) {
  const NoiseSchedule schedule;
  for (const auto& info : samplers()) {
    int events = 0;
    SamplerRun run;
    run.noise = seeded_noise();
    run.on_step = [&](const StepEvent&) {
      if (++events == 3) run.stop.request();
    };
    sample(info, gaussian, schedule, at::ones({1, 1, 1, 1}), {.steps = 50}, run);
    EXPECT_EQ(events, 3) << info.name;
  }
}

TEST(Samplers, KeepKnownHoldsTheMaskedPart) {
  const NoiseSchedule schedule;
  const auto known = at::full({1, 1, 2, 2}, 0.25);
  auto mask = at::zeros({1, 1, 2, 2});
  mask[0][0][0][0] = 1;
  SamplerRun run;
  run.before_step = keep_known(known, mask, [](const torch::Tensor& like) { return at::zeros_like(like); });
  std::vector<double> held;
  run.on_step = [&](const StepEvent& e) { held.push_back(e.x[0][0][0][0].item<double>()); };
  sample(find_sampler("ddim"), gaussian, schedule, at::ones({1, 1, 2, 2}), {.steps = 4}, run);
  for (const double value : held) EXPECT_EQ(value, 0.25);
}

TEST(FindSampler, NamesAsUsersKnowThem) {
  EXPECT_EQ(find_sampler("DPM++ 2M").name, "dpmpp_2m");
  EXPECT_EQ(find_sampler("Euler a").name, "euler_a");
  EXPECT_EQ(find_sampler("k_euler_ancestral").name, "euler_a");
  EXPECT_EQ(find_sampler("DDIM").name, "ddim");
  EXPECT_EQ(find_sampler("k-heun").name, "heun");
}

TEST(SamplerErrors, UnknownName) {
  expect_usage_error([] { find_sampler("eulr"); }, "did you mean 'euler'");
}

TEST(SamplerErrors, NoiseIsNeededByStochasticOnes) {
  const auto x = at::ones({1, 1, 1, 1});
  for (const char* name : {"ddpm", "euler_a"}) {
    expect_usage_error([&] { sample(find_sampler(name), gaussian, NoiseSchedule(), x, {}, {}); },
                       "source of noise");
  }
}

TEST(SamplerErrors, Sigmas) {
  expect_usage_error([] { check_sigmas("me", {1.0}); }, "me: expected at least 2 sigmas");
  expect_usage_error([] { check_sigmas("me", {0.0, 0.0}); }, "first sigma above 0");
  expect_usage_error([] { check_sigmas("me", {1.0, 2.0, 0.0}); }, "descending sigmas");
  expect_usage_error([] { check_sigmas("me", {1.0, 0.0, 0.0}); }, "0 as the last sigma only");
  expect_usage_error([] { check_sigmas("me", {1.0, -1.0}); }, "last sigma of at least 0");
  expect_usage_error([] { check_sigmas("me", {std::nan(""), 0.0}); }, "first sigma above 0");
}

}  // namespace
}  // namespace ldm
