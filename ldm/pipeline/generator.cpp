#include "ldm/pipeline/generator.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <exception>
#include <optional>
#include <string>
#include <utility>

#include "ldm/core/memory.h"
#include "ldm/core/stopped.h"
#include "ldm/diffusion/sample_from.h"
#include "ldm/pipeline/bind_prompt.h"
#include "ldm/pipeline/canvas.h"
#include "ldm/pipeline/check_request.h"
#include "ldm/pipeline/give_conditions.h"
#include "ldm/pipeline/memory_plan.h"
#include "ldm/pipeline/picture_edit.h"
#include "ldm/pipeline/pictures.h"
#include "ldm/pipeline/plan_sampling.h"
#include "ldm/pipeline/seeded_noise.h"
#include "ldm/pipeline/steering.h"

namespace ldm {
namespace {

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
        plan_(plan_sampling(model, r_)),
        canvas_(plan_canvas(model, r_)) {
    if (!r_.edit.picture.empty()) edit_.emplace(model, r_.edit, canvas_, r_.memory);
    plan_.steer = make_steering(model, r_.steer, canvas_);
    give_picture();
    complete_null(model_, r_);
  }

  MemoryPlan plan_memory() const { return ldm::plan_memory(model_, r_, canvas_, r_.memory); }
  std::optional<MemoryPlan> smaller_plan(const MemoryPlan& memory, int64_t n) const {
    return ldm::smaller_plan(model_, r_, canvas_, memory, n);
  }

  // Whether a mask keeps all of the picture, so that the result is the picture.
  bool draws_nothing() const { return edit_ && edit_->keeps_all(); }

  // Images first to first + n - 1 of the request; none when a stop came in between.
  std::vector<GeneratedImage> draw(int64_t first, int64_t n, const MemoryPlan& memory) const {
    SeededNoise random(r_, first, n);
    const auto latents =
        plan_.walk.steps() > 0 ? sampled(random, first, n, memory.tiles) : edit_->untouched(n);
    if (hooks_.stop.requested()) return {};
    auto images = to_images(
        cut_to(canvas_, model_.decode_latents(latents, {.memory = memory.memory, .stop = hooks_.stop})));
    std::vector<GeneratedImage> out;
    for (int64_t k = 0; k < n; ++k) {
      auto& image = images[static_cast<size_t>(k)];
      if (edit_) edit_->restore(image);
      out.push_back({std::move(image), image_seed(r_, first + k), variation_seed(r_, first + k)});
    }
    return out;
  }

 private:
  // Inpainting models read the picture and the mask as a condition, with the prompt and without, be they of
  // an edit or given.
  void give_picture() {
    if (model_.reads().picture != PictureUse::kInpaint) return;
    for (auto* condition : {&r_.given, &r_.given_null}) {
      if (edit_)
        edit_->give(*condition);
      else if (!condition->picture.defined())
        give_empty_picture(model_, canvas_, *condition);
    }
  }

  torch::Tensor sampled(SeededNoise& random, int64_t first, int64_t n,
                        const std::optional<TileOptions>& tiles) const {
    const auto noise = random.start({model_.options().channels, canvas_.latent_height, canvas_.latent_width})
                           .to(model_.device());
    const bool from_noise = !edit_ || (edit_->masked() && plan_.whole);
    auto state = from_noise ? start_of_noise(plan_.sampler, noise, plan_.walk.sigmas)
                            : edit_->start(plan_.walk, noise);
    const auto bound = bind_prompt(model_, r_, plan_.walk.steps(), first, n, asks_twice(model_, r_), tiles);
    const auto run = sampler_run(random, bound, first, n);
    auto latents = draw_latents_from(model_, plan_, bound, std::move(state), run);
    return edit_ ? edit_->settled(latents) : latents;
  }

  SamplerRun sampler_run(SeededNoise& random, const BoundModel& bound, int64_t first, int64_t n) const {
    SamplerRun run{.noise = random.steps(), .stop = hooks_.stop};
    const auto blend = edit_ ? edit_->blend(run.noise) : nullptr;
    run.before_step = [step = bound.step, blend](const torch::Tensor& x, double sigma) {
      ++*step;
      return blend ? blend(x, sigma) : x;
    };
    if (r_.brownian) run.path_noise = random.path();
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
  GenerateRequest r_;
  const DrawHooks& hooks_;
  SamplingPlan plan_;
  Canvas canvas_;
  std::optional<PictureEdit> edit_;
};

// In words for the user; empty where crops were asked for or not needed.
std::string crops_notice(const MemoryPlan& memory) {
  if (!memory.tiles_by_memory) return {};
  return "in crops of " + std::to_string(memory.tiles->height) +
         " latents, which changes the picture a little (--tile " + std::to_string(memory.tiles->height) +
         " does so again)";
}

// The images, or nothing where memory did not suffice: `memory` then is a smaller plan.
std::optional<std::vector<GeneratedImage>> try_to_draw(const Drawing& drawing, int64_t first, int64_t n,
                                                       MemoryPlan& memory, const LogFn& log) {
  try {
    return drawing.draw(first, n, memory);
  } catch (const Stopped&) {
    return std::vector<GeneratedImage>{};
  } catch (const std::exception& error) {
    const auto smaller = is_out_of_memory(error) ? drawing.smaller_plan(memory, n) : std::nullopt;
    if (!smaller) throw;
    memory = *smaller;
  }
  const auto crops = crops_notice(memory);
  log_warning(log, n > 1 ? "not enough memory for " + std::to_string(n) +
                               " pictures at once; going on with " + std::to_string(memory.batch)
                         : "not enough memory; going on within " + format_memory(memory.memory) +
                               (crops.empty() ? "" : ", " + crops));
  return std::nullopt;
}

}  // namespace

Generator::Generator(std::shared_ptr<const LatentDiffusion> model) : model_(std::move(model)) {}

std::vector<GeneratedImage> Generator::generate(const GenerateRequest& r, const DrawHooks& hooks) const {
  check_request(*model_, r);
  log_complaints(model_->conditioner(), r, hooks.log);
  // Steering needs gradients, which inference mode cannot give back where they are wanted.
  const c10::InferenceMode inference(r.steer.empty());
  const at::NoGradGuard no_grad;
  const Drawing drawing(*model_, r, hooks);
  if (drawing.draws_nothing())
    log_warning(hooks.log,
                "the mask keeps all of the picture: white (255) is drawn anew, 7 and less is kept");
  auto memory = drawing.plan_memory();
  if (const auto crops = crops_notice(memory); !crops.empty())
    log_warning(hooks.log, "little memory (" + format_memory(memory.memory) + "): drawing " + crops);
  std::vector<GeneratedImage> out;
  for (int64_t first = 0; first < r.count && !hooks.stop.requested();) {
    const auto n = std::min(memory.batch, r.count - first);
    auto images = try_to_draw(drawing, first, n, memory, hooks.log);
    if (!images) continue;
    if (hooks.finished && !images->empty()) hooks.finished(first, *images);
    for (auto& image : *images) out.push_back(std::move(image));
    first += n;
  }
  return out;
}

}  // namespace ldm
