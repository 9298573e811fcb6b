// bench_samplers order|distance OUT_PREFIX [MODEL]
//   order     slope of the error against steps of every ODE solver, on an analytic mixture
//   distance  for a model: distance of every sampler's latents to those of 1000 steps, against model calls
// Prints a Markdown table and writes OUT_PREFIX.png. docs/samplers.md shows both.
#include "ldm/diffusion/samplers.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <exception>
#include <filesystem>
#include <functional>

#include "ldm/core/brownian.h"
#include "ldm/core/noise.h"
#include "ldm/diffusion/guidance.h"
#include "ldm/diffusion/spacing.h"
#include "ldm/image/plot.h"
#include "ldm/image/png.h"
#include "ldm/io/file.h"
#include "ldm/model/load_model.h"

namespace {

using ldm::SamplerInfo;

// Three Gaussians in 12 dimensions; the exact estimate of their mixture.
ldm::Denoiser mixture() {
  at::manual_seed(1);
  const auto w = at::tensor({0.3, 0.45, 0.25}, at::kDouble), s = at::tensor({0.5, 0.35, 0.6}, at::kDouble);
  const auto m = at::randn({3, 12}, at::kDouble);
  return [=](const torch::Tensor& x, const torch::Tensor& sigma) {
    const auto flat = x.flatten(1);
    const auto level = sigma.square().unsqueeze(1);
    const auto v = s.square().unsqueeze(0) + level;
    const auto distance = (flat.unsqueeze(1) - m).square().sum(-1);
    const auto r = (w.log() - 6 * v.log() - distance / (2 * v)).softmax(-1);
    const auto mean = (s.square() / v).unsqueeze(-1) * flat.unsqueeze(1) + (level / v).unsqueeze(-1) * m;
    return (r.unsqueeze(-1) * mean).sum(1).view(x.sizes());
  };
}

double rms(const torch::Tensor& difference) { return difference.square().mean().sqrt().item<double>(); }

// Curves from the highest end to the lowest, as the legend then lists them.
void write_plot(const std::string& path, std::vector<ldm::PlotSeries> series, const ldm::PlotOptions& o) {
  std::sort(series.begin(), series.end(),
            [](const auto& a, const auto& b) { return a.y.back() > b.y.back(); });
  ldm::write_file_atomic(path, ldm::encode_png(ldm::plot_lines(series, o)));
}

// Deterministic ODE solvers over given levels.
bool solves_ode(const SamplerInfo& info) {
  return info.run != nullptr && info.order > 0 && info.name != "restart" && info.name != "dpm_adaptive";
}

int measure_order(const std::string& prefix) {
  const auto denoise = mixture();
  // From far up, where the path is nearly straight: the low orders with which multistep methods begin must
  // not hide their own.
  constexpr double kHigh = 100.0, kLow = 0.05;
  const auto x = at::randn({16, 12}, at::kDouble) * kHigh;
  ldm::SampleOptions options;
  options.eta = 0.0;
  options.s_churn = 0.0;
  const auto walk = [&](const SamplerInfo& info, int64_t steps) {
    auto sigmas = ldm::sigmas_exponential(steps + 1, kLow, kHigh);
    sigmas.pop_back();
    return info.run(denoise, x, sigmas, {}, options, ldm::NoiseSchedule());
  };
  const auto exact = walk(ldm::find_sampler("lms"), 20000);
  std::vector<ldm::PlotSeries> series;
  std::printf(
      "| sampler | error at 40 steps | at 80 | at 160 | at 320 | slope | order "
      "|\n|---|---|---|---|---|---|---|\n");
  for (const auto& info : ldm::samplers()) {
    if (!solves_ode(info)) continue;
    ldm::PlotSeries line{info.name, {}, {}};
    for (const int64_t steps : {40, 80, 160, 320}) {
      line.x.push_back(static_cast<double>(steps));
      line.y.push_back(rms(walk(info, steps) - exact));
    }
    std::printf("| %s | %.1e | %.1e | %.1e | %.1e | %.2f | %d |\n", info.name.c_str(), line.y[0], line.y[1],
                line.y[2], line.y[3], std::log2(line.y[2] / line.y[3]), static_cast<int>(info.order));
    series.push_back(line);
  }
  write_plot(prefix + ".png", series,
             {.title = "error on an analytic mixture",
              .x_label = "steps",
              .y_label = "RMS error",
              .height = 640,
              .log_x = true,
              .log_y = true});
  return 0;
}

// What a sampler's result tends to with more steps.
enum class Limit {
  kOde,   // The deterministic path.
  kSde,   // The path with the fresh noise of eta 1, along one Brownian path.
  kOwn,   // A path of its own.
  kNone,  // None: every step adds noise, or guidance, of a fixed size.
};

Limit limit_of(const SamplerInfo& info) {
  if (info.run_guided != nullptr || info.name == "lcm" || info.name == "tcd") return Limit::kNone;
  if (!info.stochastic) return Limit::kOde;
  return info.name == "edm" || info.name == "restart" ? Limit::kOwn : Limit::kSde;
}

struct Trial {
  torch::Tensor latents;
  int64_t calls = 0;
};

// One sampler on the model, guided, with the noise of fixed seeds.
class ModelTrial {
 public:
  explicit ModelTrial(const std::filesystem::path& file) : model_(ldm::load_latent_diffusion(file)) {
    const std::vector<ldm::Condition> wanted = {{.caption = "red heart"}, {.caption = "pizza"}};
    const std::vector<ldm::Condition> without(wanted.size(), ldm::Condition{.caption = ""});
    const auto condition = model_->encode(wanted);
    cond_ = model_->denoiser(condition);
    both_ = model_->denoiser(ldm::join_batches(model_->encode(without), condition));
    const auto size = model_->options().image_size;
    noise_ = ldm::batch_noise(ldm::NoiseKind::kCpu, 1, 2, {model_->options().channels, size, size});
  }

  Trial run(const SamplerInfo& info, int64_t steps) const {
    Trial trial;
    const auto guided = ldm::guided_denoiser(both_, cond_, {.scale = 3.0});
    const ldm::Denoiser counted = [&](const torch::Tensor& x, const torch::Tensor& sigma) {
      ++trial.calls;
      return guided(x, sigma);
    };
    ldm::SampleOptions options;
    options.steps = steps;
    const auto levels = ldm::sampler_sigmas(info, model_->schedule(), options);
    const auto path = ldm::brownian_noise(ldm::NoiseKind::kCpu, 9, 2);
    ldm::NoiseStream stream(ldm::NoiseKind::kCpu, 9);
    double level = levels.front();
    ldm::SamplerRun sampling;
    sampling.path_noise = path;
    // Samplers that ask for one noise a step get that of the path too; restart's jumps are no steps.
    sampling.before_step = [&](const torch::Tensor& x, double sigma) {
      level = sigma;
      return x;
    };
    sampling.noise = [&](const torch::Tensor& like) {
      if (limit_of(info) == Limit::kNone || info.name == "restart") return stream.randn(like.sizes());
      const auto next = std::upper_bound(levels.begin(), levels.end(), level, std::greater<>());
      return path(like, level, next == levels.end() ? 0.0 : *next);
    };
    trial.latents = ldm::sample(info, counted, model_->schedule(), noise_, options, sampling);
    return trial;
  }

 private:
  std::unique_ptr<ldm::LatentDiffusion> model_;
  ldm::Denoiser both_, cond_;
  torch::Tensor noise_;
};

int measure_distance(const std::string& prefix, const std::string& model) {
  const c10::InferenceMode inference;
  const ModelTrial trial(model);
  const auto ode = trial.run(ldm::find_sampler("heun"), 1000).latents;
  const auto sde = trial.run(ldm::find_sampler("dpmpp_2m_sde"), 1000).latents;
  std::vector<ldm::PlotSeries> series;
  std::printf(
      "| sampler | against | 5 steps | 10 | 20 | 40 | 80 | model calls "
      "|\n|---|---|---|---|---|---|---|---|\n");
  for (const auto& info : ldm::samplers()) {
    const auto limit = limit_of(info);
    if (limit == Limit::kNone) continue;
    const auto reference = limit == Limit::kOde   ? ode
                           : limit == Limit::kSde ? sde
                                                  : trial.run(info, 1000).latents;
    ldm::PlotSeries line{info.name, {}, {}};
    std::string calls;
    std::printf("| %s | %s |", info.name.c_str(),
                limit == Limit::kOde   ? "ODE"
                : limit == Limit::kSde ? "SDE"
                                       : "itself");
    for (const int64_t steps : {5, 10, 20, 40, 80}) {
      const auto got = trial.run(info, steps);
      line.x.push_back(static_cast<double>(got.calls));
      line.y.push_back(rms(got.latents - reference) / rms(reference));
      calls += (calls.empty() ? "" : ", ") + std::to_string(got.calls);
      std::printf(" %.3f |", line.y.back());
      std::fflush(stdout);
    }
    std::printf(" %s |\n", calls.c_str());
    series.push_back(line);
  }
  write_plot(prefix + ".png", series,
             {.title = "distance to 1000 steps",
              .x_label = "model calls",
              .y_label = "relative RMS distance",
              .height = 800,
              .log_x = true,
              .log_y = true});
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3 || (std::strcmp(argv[1], "distance") == 0 && argc < 4)) {
    std::fprintf(stderr, "usage: bench_samplers order OUT_PREFIX | distance OUT_PREFIX MODEL\n");
    return 2;
  }
  at::set_num_threads(1);
  try {
    return std::strcmp(argv[1], "order") == 0 ? measure_order(argv[2]) : measure_distance(argv[2], argv[3]);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "bench_samplers: %s\n", e.what());
    return 1;
  }
}
