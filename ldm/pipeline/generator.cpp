#include "ldm/pipeline/generator.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <string>
#include <utility>

#include "ldm/core/brownian.h"
#include "ldm/core/error.h"
#include "ldm/diffusion/guidance.h"
#include "ldm/diffusion/samplers.h"
#include "ldm/pipeline/bind_prompt.h"

namespace ldm {
namespace {

struct LatentSize {
  int64_t height = 0, width = 0;
};

LatentSize latent_size(const LatentDiffusion& model, const GenerateRequest& r) {
  const auto factor = model.first_stage().downsampling();
  const auto halvings = static_cast<int64_t>(model.unet().options().channel_mult.size()) - 1;
  const auto multiple = factor << halvings;  // Every level of the UNet halves the latents once more.
  const auto side = [&](int64_t pixels, const char* name) {
    if (pixels == 0) return model.options().image_size;
    check(pixels > 0 && pixels % multiple == 0, "generate: ", name, " must be a positive multiple of ",
          multiple, " pixels, got ", pixels);
    check(pixels <= 4096, "generate: ", name, " may be at most 4096 pixels, got ", pixels);
    return pixels / factor;
  };
  return {.height = side(r.height, "the height"), .width = side(r.width, "the width")};
}

void check_condition(const Conditioner* conditioner, const GenerateRequest& r) {
  const bool words = !r.prompt.empty() || !r.negative_prompt.empty();
  if (conditioner == nullptr) {
    check(!words && r.label < 0, "generate: this model draws without a prompt (it is unconditional)");
    return;
  }
  const auto last = std::to_string(conditioner->classes() - 1);
  const bool by_class = conditioner->classes() > 0;
  check(!words || conditioner->takes_words(), "generate: this model takes ",
        by_class ? "a class in 0.." + last : "pictures", ", not words");
  check(by_class || r.label < 0, "generate: this model is told in ",
        conditioner->takes_words() ? "words" : "pictures", " what to draw, not by a class; got class ",
        r.label);
  if (!by_class) return;
  check(r.label < conditioner->classes(), "generate: expected a class in 0..", last, ", got ", r.label);
  check(r.label >= 0 || conditioner->has_null(), "generate: this model needs a class in 0..", last);
  check(r.guidance.scale == 1.0 || conditioner->has_null(),
        "generate: this model was trained without a null class, so it cannot be guided; expected a "
        "guidance of 1, got ",
        r.guidance.scale);
}

void check_request(const LatentDiffusion& model, const GenerateRequest& r) {
  check(r.count >= 1 && r.count <= 100000, "generate: expected 1..100000 images, got ", r.count);
  const auto steps = r.sampling.steps;
  check(steps >= 1 && steps <= model.schedule().timesteps(), "generate: expected 1..",
        model.schedule().timesteps(), " steps, got ", steps);
  check(r.batch_size >= 1, "generate: expected a positive batch size, got ", r.batch_size);
  check(r.clip_skip >= 0, "generate: expected a clip-skip of 1 (none) or more, got ", r.clip_skip);
  check_condition(model.conditioner(), r);
}

// Whether the model is asked without the condition too.
bool asks_twice(const LatentDiffusion& model, const GenerateRequest& r) {
  const bool wanted =
      r.guidance.scale != 1.0 || r.guidance.perp_neg > 0 || find_sampler(r.sampler).run_guided != nullptr;
  return wanted && model.conditioner() != nullptr;
}

// What one run of the sampler needs beside the noise.
struct SamplingPlan {
  const SamplerInfo& sampler;
  SampleOptions options;
  GuidanceOptions guidance;
};

SamplingPlan plan_sampling(const LatentDiffusion& model, const GenerateRequest& r) {
  SamplingPlan plan{find_sampler(r.sampler), r.sampling, r.guidance};
  plan.options.scaling = output_scaling(model.prediction());
  // Where the last step is pure noise, sampling has to begin there (Lin et al. 2024, Sec. 3.3).
  if (plan.options.spacing.empty() && model.options().zero_terminal_snr) plan.options.spacing = "trailing";
  if (r.guided_steps) {
    const auto sigmas = sampler_sigmas(plan.sampler, model.schedule(), plan.options);
    plan.guidance.interval = interval_of_steps(sigmas, r.guided_steps->first, r.guided_steps->second);
  }
  check(plan.sampler.run != nullptr || asks_twice(model, r), "generate: ", plan.sampler.name,
        " needs a model that can be guided");
  if (!asks_twice(model, r)) plan.guidance.interval = {0.0, 0.0};
  return plan;
}

torch::Tensor draw_latents(const LatentDiffusion& model, const SamplingPlan& plan, const BoundModel& bound,
                           const torch::Tensor& noise, const SamplerRun& run) {
  if (plan.sampler.run_guided != nullptr) {
    const auto guided = guided_estimates(bound.both, bound.cond, plan.guidance, plan.options.scaling);
    return sample(plan.sampler, guided, model.schedule(), noise, plan.options, run);
  }
  const auto denoise = guided_denoiser(bound.both, bound.cond, plan.guidance, plan.options.scaling);
  return sample(plan.sampler, denoise, model.schedule(), noise, plan.options, run);
}

// Fresh noise during sampling: image k draws from its own stream, so that a batch equals single runs.
NoiseFn step_noise(std::vector<NoiseStream>& streams) {
  return [&streams](const torch::Tensor& like) {
    std::vector<torch::Tensor> rows;
    for (auto& stream : streams) rows.push_back(stream.randn(like.sizes().slice(1)));
    return at::stack(rows).to(like.options());
  };
}

}  // namespace

Generator::Generator(std::shared_ptr<const LatentDiffusion> model) : model_(std::move(model)) {}

std::vector<GeneratedImage> Generator::generate(const GenerateRequest& r, const ProgressFn& progress,
                                                const StopToken& stop, const LogFn& log) const {
  check_request(*model_, r);
  const auto plan = plan_sampling(*model_, r);
  const auto size = latent_size(*model_, r);
  if (model_->conditioner()) {
    for (const auto& prompt : {r.prompt, r.negative_prompt}) {
      if (const auto words = model_->conditioner()->complaint(prompt); !words.empty())
        log_warning(log, words);
    }
  }
  const c10::InferenceMode inference;
  std::vector<GeneratedImage> out;
  for (int64_t first = 0; first < r.count && !stop.requested(); first += r.batch_size) {
    const auto n = std::min(r.batch_size, r.count - first);
    std::vector<NoiseStream> streams;
    std::vector<torch::Tensor> start;
    for (int64_t k = 0; k < n; ++k) {
      streams.emplace_back(r.noise, r.seed + static_cast<uint64_t>(first + k));
      start.push_back(streams.back().randn({model_->options().channels, size.height, size.width}));
    }
    SamplerRun run{.noise = step_noise(streams), .stop = stop};
    const auto bound = bind_prompt(*model_, r, n, asks_twice(*model_, r));
    run.before_step = [step = bound.step](const torch::Tensor& x, double) {
      ++*step;
      return x;
    };
    if (r.brownian) run.path_noise = brownian_noise(r.noise, r.seed + static_cast<uint64_t>(first), n);
    run.on_step = [&](const StepEvent& event) {
      report(progress, {.stage = "sampling",
                        .done = first * event.steps + (event.step + 1) * n,
                        .total = r.count * event.steps,
                        .detail = {}});
    };
    const auto noise = at::stack(start).to(model_->device());
    const auto latents = draw_latents(*model_, plan, bound, noise, run);
    if (stop.requested()) break;
    auto images = to_images(model_->decode_latents(latents));
    for (int64_t k = 0; k < n; ++k) {
      out.push_back({std::move(images[static_cast<size_t>(k)]), r.seed + static_cast<uint64_t>(first + k)});
    }
  }
  return out;
}

std::vector<Image> to_images(const torch::Tensor& pictures) {
  check(pictures.dim() == 4 && pictures.size(1) == 3, "to_images: expected [N, 3, H, W], got ",
        pictures.sizes());
  const auto bytes = pictures.detach()
                         .to(at::kFloat)
                         .add(1.0)
                         .mul(127.5)
                         .clamp(0, 255)
                         .round()
                         .to(at::kByte)
                         .permute({0, 2, 3, 1})
                         .contiguous()
                         .cpu();
  const auto per_image = bytes.numel() / std::max<int64_t>(1, bytes.size(0));
  std::vector<Image> out;
  for (int64_t i = 0; i < bytes.size(0); ++i) {
    const auto* from = bytes.const_data_ptr<uint8_t>() + i * per_image;
    out.push_back(
        {.width = bytes.size(2), .height = bytes.size(1), .channels = 3, .pixels = {from, from + per_image}});
  }
  return out;
}

torch::Tensor to_tensor(std::span<const Image> images) {
  check(!images.empty(), "to_tensor: expected at least one image");
  std::vector<torch::Tensor> rows;
  for (const auto& image : images) {
    check(image.channels == 3 && image.width == images[0].width && image.height == images[0].height,
          "to_tensor: expected RGB images of one size");
    const auto bytes = at::tensor(at::ArrayRef<uint8_t>(image.pixels), at::kByte);
    rows.push_back(bytes.view({image.height, image.width, 3}).permute({2, 0, 1}));
  }
  return at::stack(rows).to(at::kFloat).mul_(2.0 / 255.0).sub_(1.0);
}

}  // namespace ldm
