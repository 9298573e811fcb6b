#include "ldm/train/diffusion_samples.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "ldm/image/grid.h"
#include "ldm/pipeline/generator.h"

namespace ldm {
namespace {

constexpr int64_t kSamples = 16;
constexpr size_t kGridColumns = 8;

std::vector<GenerateRequest> sample_requests(const LatentDiffusion& model,
                                             const std::vector<std::string>& prompts) {
  const auto* conditioner = model.conditioner();
  GenerateRequest plain{.sampling = {.steps = std::min<int64_t>(30, model.schedule().timesteps())},
                        .guidance = {.scale = conditioner != nullptr && conditioner->has_null() ? 3.0 : 1.0}};
  std::vector<GenerateRequest> out;
  for (const auto& prompt : prompts) {
    out.push_back(plain);
    out.back().prompt = prompt;
  }
  const auto classes = conditioner != nullptr ? conditioner->classes() : 0;
  for (int64_t k = 0; out.size() < kSamples && classes > 0; ++k) {
    out.push_back(plain);
    out.back().label = k % classes;
  }
  for (size_t k = 0; k < out.size(); ++k) out[k].seed = k;
  plain.count = kSamples;
  return out.empty() ? std::vector<GenerateRequest>{plain} : out;
}

}  // namespace

Image draw_sample_grid(const std::shared_ptr<const LatentDiffusion>& model,
                       const std::vector<std::string>& prompts) {
  const Generator generator(model);
  std::vector<Image> drawn;
  for (const auto& request : sample_requests(*model, prompts)) {
    for (auto& image : generator.generate(request)) drawn.push_back(std::move(image.image));
  }
  return make_grid(drawn, static_cast<int64_t>(std::min(drawn.size(), kGridColumns)));
}

}  // namespace ldm
