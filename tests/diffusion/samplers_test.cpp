#include "ldm/diffusion/samplers.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>

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

// Whatever the sampler wants: CFG++ ones get the same estimate twice.
torch::Tensor draw_with(const SamplerInfo& info, const NoiseSchedule& schedule, const torch::Tensor& noise,
                        const SampleOptions& options, const SamplerRun& run,
                        const Denoiser& denoise = gaussian) {
  if (info.run != nullptr) return sample(info, denoise, schedule, noise, options, run);
  const GuidedDenoiser both = [&](const torch::Tensor& x, const torch::Tensor& sigma) -> GuidedEstimate {
    const auto d = denoise(x, sigma);
    return {d, d};
  };
  return sample(info, both, schedule, noise, options, run);
}

bool counts_steps(const SamplerInfo& info) {
  return info.end != SamplerEnd::kLowest && info.name != "restart" && info.name != "dpm_solver_singlestep";
}

// Error at the end of the path from 10 to 0.1 against the exact solution of the ODE.
double path_error(const SamplerInfo& info, int64_t steps) {
  auto sigmas = sigmas_exponential(steps + 1, 0.1, 10.0);
  sigmas.pop_back();
  const auto x = at::ones({1, 1, 1, 1}, at::kDouble);
  SampleOptions options;
  options.eta = 0.0;
  options.s_churn = 0.0;
  const double got = info.run(gaussian, x, sigmas, {}, options, NoiseSchedule()).item<double>();
  const double v = kDataStd * kDataStd;
  return std::abs(got - std::sqrt((v + 0.01) / (v + 100.0)));
}

double slope(const SamplerInfo& info) { return std::log2(path_error(info, 240) / path_error(info, 480)); }

TEST(Samplers, OrderOfAccuracy) {
  for (const auto& info : samplers()) {
    const bool solves =
        info.run != nullptr && info.order > 0 && info.name != "restart" && info.name != "dpm_adaptive";
    if (!solves) continue;
    // Multistep methods begin with a first-order step, which limits all of them to 2.
    EXPECT_GT(slope(info), std::min<double>(static_cast<double>(info.order), 2.0) - 0.3) << info.name;
  }
  EXPECT_NEAR(slope(find_sampler("euler")), 1.0, 0.1);
  EXPECT_NEAR(slope(find_sampler("heun")), 2.0, 0.1);
}

TEST(Samplers, EverySamplerDrawsTheDataDistribution) {
  at::manual_seed(7);
  ScheduleOptions o;
  o.linear_start = 0.00085;
  o.linear_end = 0.012;
  const NoiseSchedule schedule(o);
  for (const auto& info : samplers()) {
    if (info.name == "lcm" || info.name == "tcd") continue;  // They want a model of another sort.
    SamplerRun run;
    run.noise = seeded_noise();
    SampleOptions options;
    options.steps = 200;
    const auto x = draw_with(info, schedule, at::randn({20000, 1, 1, 1}), options, run);
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
        EXPECT_EQ(e.step, counts_steps(info) ? events : e.step);
        ++events;
      };
      SampleOptions options;
      options.steps = steps;
      const auto x = draw_with(info, schedule, at::ones({2, 1, 2, 2}), options, run, counted);
      EXPECT_TRUE(x.isfinite().all().item<bool>()) << info.name << " " << steps;
      if (counts_steps(info)) {
        EXPECT_EQ(events, steps) << info.name;
        EXPECT_GE(calls, steps) << info.name;
        EXPECT_LE(calls, steps * info.calls_per_step + 1) << info.name;
      } else if (info.name == "dpm_fast" || info.name == "dpm_solver_singlestep") {
        EXPECT_EQ(calls, steps) << info.name;
      }
    }
  }
}

TEST(Samplers, ZeroTerminalSnrStartsFromPureNoise) {
  ScheduleOptions o;
  o.zero_terminal_snr = true;
  const NoiseSchedule schedule(o);
  for (const auto& info : samplers()) {
    bool pure = false;
    const Denoiser watched = [&](const torch::Tensor& x, const torch::Tensor& sigma) {
      pure = pure || std::isinf(sigma[0].item<double>());
      return gaussian(x, sigma);
    };
    SamplerRun run;
    run.noise = seeded_noise();
    SampleOptions options;
    options.steps = 20;
    options.spacing = "trailing";
    // The step from pure noise is a step like the others to who prepares it and who listens.
    std::vector<int64_t> seen;
    int64_t prepared = 0;
    run.before_step = [&](const torch::Tensor& x, double) { return ++prepared, x; };
    run.on_step = [&](const StepEvent& e) {
      seen.push_back(e.step);
      EXPECT_TRUE(e.steps == 20 || !counts_steps(info)) << info.name << " " << e.steps;
    };
    const auto x = draw_with(info, schedule, at::randn({4, 1, 2, 2}), options, run, watched);
    std::vector<int64_t> all(20);
    std::iota(all.begin(), all.end(), 0);
    EXPECT_TRUE(seen == all || !counts_steps(info)) << info.name;
    EXPECT_TRUE(prepared == 20 || !counts_steps(info)) << info.name << " " << prepared;
    EXPECT_LT(x.abs().max().item<double>(), 10.0) << info.name;
    EXPECT_EQ(pure, info.end != SamplerEnd::kLowest) << info.name;
  }
}

TEST(Samplers, AFixedNoiseGivesAFixedResult) {
  const NoiseSchedule schedule;
  SamplerRun run;
  run.noise = [](const torch::Tensor& like) { return at::ones_like(like); };
  const auto noise = at::ones({1, 1, 2, 2});
  for (const auto& info : samplers()) {
    const auto a = draw_with(info, schedule, noise, {.steps = 5}, run);
    EXPECT_TRUE(at::equal(a, draw_with(info, schedule, noise, {.steps = 5}, run))) << info.name;
    EXPECT_TRUE(at::equal(noise, at::ones({1, 1, 2, 2}))) << info.name << " writes to its input";
  }
}

TEST(Samplers, StopReturnsBeforeTheNextStep) {
  const NoiseSchedule schedule;
  for (const auto& info : samplers()) {
    if (info.name == "dpm_adaptive") continue;  // Takes fewer steps than that.
    int events = 0;
    SamplerRun run;
    run.noise = seeded_noise();
    run.on_step = [&](const StepEvent&) {
      if (++events == 3) run.stop.request();
    };
    draw_with(info, schedule, at::ones({1, 1, 1, 1}), {.steps = 50}, run);
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
  EXPECT_EQ(find_sampler("DPM++ 2M SDE").name, "dpmpp_2m_sde");
  EXPECT_EQ(find_sampler("sample_dpm_2_ancestral").name, "dpm2_a");
  EXPECT_EQ(find_sampler("DPM2 a").name, "dpm2_a");
  EXPECT_EQ(find_sampler("uni_pc").name, "unipc");
}

TEST(SamplerErrors, NumbersThatAreNone) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinity = std::numeric_limits<double>::infinity();
  expect_usage_error([&] { check_sample_options({.temperature = nan}); },
                     "temperature: expected a finite number, got nan");
  expect_usage_error([&] { check_sample_options({.eta = infinity}); },
                     "eta: expected a finite number, got inf");
  expect_usage_error([&] { check_sample_options({.s_noise = -1}); },
                     "s_noise: expected a number from 0, got -1");
  check_sample_options({});
}

TEST(SamplerErrors, UnknownName) {
  expect_usage_error([] { find_sampler("eulr"); }, "did you mean 'euler'");
}

TEST(SamplerErrors, NoiseIsNeededByStochasticOnes) {
  const auto x = at::ones({1, 1, 1, 1});
  for (const char* name : {"ddpm", "euler_a", "dpmpp_sde", "dpmpp_2m_sde", "lcm", "restart", "dpm2_a"}) {
    expect_usage_error([&] { sample(find_sampler(name), gaussian, NoiseSchedule(), x, {}, {}); },
                       "source of noise");
  }
}

TEST(SamplerErrors, OptionsOutOfRange) {
  const auto x = at::ones({1, 1, 1, 1});
  const auto run = [&](const char* name, const SampleOptions& options) {
    sample(find_sampler(name), gaussian, NoiseSchedule(), x, options, {});
  };
  for (const char* name :
       {"dpm_solver", "deis", "unipc", "lms", "ipndm", "dpm_adaptive", "dpm_solver_singlestep"})
    expect_usage_error([&] { run(name, {.order = 9}); }, "expected an order of");
  expect_usage_error([&] { run("dpm_solver", {.solver_type = "bh2"}); }, "expected midpoint or heun");
  expect_usage_error([&] { run("unipc", {.solver_type = "heun"}); }, "expected bh1 or bh2");
  expect_usage_error([&] { run("dpmpp_sde", {.r = 0.0}); }, "expected r in (0, 1]");
  expect_usage_error([&] { run("dpm_adaptive", {.rtol = 0.0}); }, "tolerances");
  expect_usage_error([&] { run("tcd", {.eta = 2.0}); }, "expected eta in [0, 1]");
  expect_usage_error([&] { run("restart", {.restart_steps = 1}); }, "at least 2 steps");
  expect_usage_error([&] { run("euler_cfgpp", {}); }, "needs guidance");
  expect_usage_error([&] { run("euler", {.sigmas = {1.0, 2.0}}); }, "descending sigmas");
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
