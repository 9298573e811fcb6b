#include "ldm/pipeline/generator.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <utility>

#include "ldm/core/brownian.h"
#include "ldm/pipeline/bind_prompt.h"
#include "ldm/pipeline/canvas.h"
#include "ldm/pipeline/check_request.h"
#include "ldm/pipeline/pictures.h"
#include "ldm/pipeline/plan_sampling.h"

namespace ldm {
namespace {

// Fresh noise during sampling: image k draws from its own stream, so that a batch equals single runs.
NoiseFn step_noise(std::vector<NoiseStream>& streams) {
  return [&streams](const torch::Tensor& like) {
    std::vector<torch::Tensor> rows;
    for (auto& stream : streams) rows.push_back(stream.randn(like.sizes().slice(1)));
    return at::stack(rows).to(like.options());
  };
}

// Says what of the prompts does not fit.
void log_complaints(const Conditioner* conditioner, const GenerateRequest& r, const LogFn& log) {
  if (conditioner == nullptr) return;
  for (const auto& prompt : {r.prompt, r.negative_prompt}) {
    if (const auto words = conditioner->complaint(prompt); !words.empty()) log_warning(log, words);
  }
}

// Draws the images of one request, a batch at a time.
class Drawing {
 public:
  Drawing(const LatentDiffusion& model, const GenerateRequest& request, const DrawHooks& hooks)
      : model_(model),
        r_(request),
        hooks_(hooks),
        plan_(plan_sampling(model, request)),
        canvas_(plan_canvas(model, request)) {}

  // Images first to first + n - 1 of the request; none when a stop came in between.
  std::vector<GeneratedImage> draw(int64_t first, int64_t n) const {
    auto streams = noise_streams(first, n);
    const auto noise = start_noise(streams);
    const auto bound = bind_prompt(model_, r_, n, asks_twice(model_, r_));
    const auto latents = draw_latents(model_, plan_, bound, noise, sampler_run(streams, bound, first, n));
    if (hooks_.stop.requested()) return {};
    auto images = to_images(cut_to(canvas_, model_.decode_latents(latents)));
    std::vector<GeneratedImage> out;
    for (int64_t k = 0; k < n; ++k)
      out.push_back({std::move(images[static_cast<size_t>(k)]), seed(first + k)});
    return out;
  }

 private:
  uint64_t seed(int64_t image) const { return r_.seed + static_cast<uint64_t>(image); }

  std::vector<NoiseStream> noise_streams(int64_t first, int64_t n) const {
    std::vector<NoiseStream> streams;
    for (int64_t k = 0; k < n; ++k) streams.emplace_back(r_.noise, seed(first + k));
    return streams;
  }

  torch::Tensor start_noise(std::vector<NoiseStream>& streams) const {
    std::vector<torch::Tensor> rows;
    for (auto& stream : streams)
      rows.push_back(stream.randn({model_.options().channels, canvas_.latent_height, canvas_.latent_width}));
    return at::stack(rows).to(model_.device());
  }

  SamplerRun sampler_run(std::vector<NoiseStream>& streams, const BoundModel& bound, int64_t first,
                         int64_t n) const {
    SamplerRun run{.noise = step_noise(streams), .stop = hooks_.stop};
    run.before_step = [step = bound.step](const torch::Tensor& x, double) {
      ++*step;
      return x;
    };
    if (r_.brownian) run.path_noise = brownian_noise(r_.noise, seed(first), n);
    run.on_step = [this, first, n](const StepEvent& event) {
      if (hooks_.estimate) hooks_.estimate(event.denoised);
      report(hooks_.progress, {.stage = "sampling",
                               .done = first * event.steps + (event.step + 1) * n,
                               .total = r_.count * event.steps,
                               .detail = {}});
    };
    return run;
  }

  const LatentDiffusion& model_;
  const GenerateRequest& r_;
  const DrawHooks& hooks_;
  SamplingPlan plan_;
  Canvas canvas_;
};

}  // namespace

Generator::Generator(std::shared_ptr<const LatentDiffusion> model) : model_(std::move(model)) {}

std::vector<GeneratedImage> Generator::generate(const GenerateRequest& r, const DrawHooks& hooks) const {
  check_request(*model_, r);
  log_complaints(model_->conditioner(), r, hooks.log);
  const Drawing drawing(*model_, r, hooks);
  const c10::InferenceMode inference;
  std::vector<GeneratedImage> out;
  for (int64_t first = 0; first < r.count && !hooks.stop.requested(); first += r.batch_size) {
    auto images = drawing.draw(first, std::min(r.batch_size, r.count - first));
    if (hooks.finished && !images.empty()) hooks.finished(first, images);
    for (auto& image : images) out.push_back(std::move(image));
  }
  return out;
}

}  // namespace ldm
