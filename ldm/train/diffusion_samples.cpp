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

GenerateRequest plain_request(const LatentDiffusion& model, bool guided) {
  return {.sampling = {.steps = std::min<int64_t>(30, model.schedule().timesteps())},
          .guidance = {.scale = guided ? 3.0 : 1.0}};
}

std::vector<GenerateRequest> sample_requests(const LatentDiffusion& model,
                                             const std::vector<std::string>& prompts) {
  const auto* conditioner = model.conditioner();
  auto plain = plain_request(model, conditioner != nullptr && conditioner->has_null());
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

Image draw_task_grid(const std::shared_ptr<const LatentDiffusion>& model,
                     const std::vector<ShownExample>& examples, const std::optional<Condition>& null) {
  const Generator generator(model);
  const bool words = model->conditioner() != nullptr && model->conditioner()->takes_words();
  const bool classes = model->conditioner() != nullptr && model->conditioner()->classes() > 0;
  std::vector<Image> inputs, drawn, truths;
  for (const auto& example : examples) {
    auto request = plain_request(*model, null.has_value() || words);
    request.seed = drawn.size();
    request.given = example.condition;
    if (words) request.prompt = example.condition.caption;
    if (classes) request.label = example.condition.label;
    // A condition that is never dropped stays where words are left out.
    request.given_null = null.value_or(example.condition);
    drawn.push_back(generator.generate(request).front().image);
    if (example.input) inputs.push_back(*example.input);
    truths.push_back(example.truth);
  }
  auto all = std::move(inputs);
  all.insert(all.end(), drawn.begin(), drawn.end());
  all.insert(all.end(), truths.begin(), truths.end());
  return make_grid(all, static_cast<int64_t>(examples.size()));
}

}  // namespace ldm
