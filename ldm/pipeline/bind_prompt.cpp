#include "ldm/pipeline/bind_prompt.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "ldm/core/error.h"
#include "ldm/pipeline/canvas.h"
#include "ldm/pipeline/control_hint.h"
#include "ldm/pipeline/interpolate.h"
#include "ldm/text/prompt_and.h"
#include "ldm/text/prompt_schedule.h"

namespace ldm {
namespace {

// What is drawn up to and including last_step.
struct PromptTexts {
  int64_t last_step = 0;
  std::string prompt, negative;
};

const std::string& text_at(const std::vector<PromptPhase>& phases, int64_t step) {
  const auto found =
      std::find_if(phases.begin(), phases.end(), [&](const auto& p) { return p.last_step >= step; });
  return found == phases.end() ? phases.back().text : found->text;
}

// The two schedules as one.
std::vector<PromptTexts> phases_of(const GenerateRequest& r, int64_t steps) {
  const auto prompt = parse_prompt_schedule(r.prompt, steps);
  const auto negative = parse_prompt_schedule(r.negative_prompt, steps);
  std::vector<int64_t> ends;
  for (const auto* phases : {&prompt, &negative}) {
    for (const auto& phase : *phases) ends.push_back(phase.last_step);
  }
  std::sort(ends.begin(), ends.end());
  ends.erase(std::unique(ends.begin(), ends.end()), ends.end());
  std::vector<PromptTexts> out;
  for (const int64_t end : ends) out.push_back({end, text_at(prompt, end), text_at(negative, end)});
  return out;
}

struct PhaseModel {
  Denoiser both, cond;
};

// Binds one moment's texts for n images.
class PhaseBinder {
 public:
  PhaseBinder(const LatentDiffusion& model, const GenerateRequest& r, int64_t first, int64_t n, bool guided,
              const std::optional<TileOptions>& tiles)
      : model_(model),
        r_(r),
        first_(first),
        n_(n),
        guided_(guided),
        controls_(bind_controls(model, r, plan_canvas(model, r))),
        tiles_(tiles) {}

  PhaseModel bind(const PromptTexts& texts) const {
    const auto terms = parse_prompt_terms(texts.prompt);
    if (terms.size() > 1) return bind_terms(terms, texts.negative);
    const auto wanted = r_.path.empty() ? encode(r_.given, texts.prompt, r_.label) : on_the_way();
    const auto cond = denoiser(wanted);
    if (!guided_) return {cond, cond};
    auto batch = join_batches(without(texts.negative), wanted);
    if (perp_neg()) batch = join_batches(batch, encode(r_.given_null, texts.negative, -1));
    return {denoiser(batch), cond};
  }

 private:
  Denoiser denoiser(const Conditioning& condition) const { return model_.denoiser(condition, tiles_); }

  // Perp-Neg has its negative prompt beside the empty one, plain guidance in its place.
  bool perp_neg() const { return r_.guidance.perp_neg > 0; }
  Conditioning without(const std::string& negative) const {
    return encode(r_.given_null, perp_neg() ? "" : negative, -1);
  }

  Condition condition(const Condition& given, const std::string& caption, int64_t label) const {
    Condition out = given;
    out.caption = caption;
    out.label = label;
    out.reading = {.prompt = true, .clip_skip = r_.clip_skip};
    return out;
  }

  Conditioning encode(const Condition& given, const std::string& caption, int64_t label) const {
    const auto one = condition(given, caption, label);
    auto out = model_.encode(std::vector<Condition>(static_cast<size_t>(n_), one));
    out.controls = controls_;
    return out;
  }

  Conditioning on_the_way() const {
    std::vector<Condition> places;
    for (const auto& place : r_.path.places) places.push_back(condition(r_.given, place.prompt, r_.label));
    std::vector<PathPosition> positions;
    for (int64_t k = 0; k < n_; ++k) positions.push_back(path_position(r_.path, r_.count, first_ + k));
    auto out = mix_conditions(model_.encode(places), positions, r_.path.mix);
    out.controls = controls_;
    return out;
  }

  PhaseModel bind_terms(const std::vector<PromptTerm>& terms, const std::string& negative) const {
    auto batch = without(negative);
    std::vector<double> weights;
    for (const auto& term : terms) {
      batch = join_batches(batch, encode(r_.given, term.text, r_.label));
      weights.push_back(term.weight);
    }
    const auto two = compose_terms(denoiser(batch), weights, /*after=*/0);
    Denoiser cond = [two](const torch::Tensor& x, const torch::Tensor& sigma) {
      return two(at::cat({x, x}), at::cat({sigma, sigma})).chunk(2)[1];
    };
    if (!perp_neg()) return {two, cond};
    batch = join_batches(batch, encode(r_.given_null, negative, -1));
    return {compose_terms(denoiser(batch), weights, /*after=*/1), cond};
  }

  const LatentDiffusion& model_;
  const GenerateRequest& r_;
  int64_t first_, n_;
  bool guided_;
  std::vector<std::shared_ptr<const Control>> controls_;
  std::optional<TileOptions> tiles_;
};

// The denoiser of the step that is being drawn.
Denoiser switching(std::vector<std::pair<int64_t, Denoiser>> phases, std::shared_ptr<const int64_t> step) {
  if (phases.size() == 1) return phases.front().second;
  return [phases = std::move(phases), step = std::move(step)](const torch::Tensor& x,
                                                              const torch::Tensor& sigma) {
    const auto found =
        std::find_if(phases.begin(), phases.end() - 1, [&](const auto& p) { return p.first >= *step; });
    return found->second(x, sigma);
  };
}

// What changes over the steps, or is several prompts, has no one place on a way.
void check_path(const GenerateRequest& r, int64_t steps) {
  for (const auto& place : r.path.places) {
    const bool plain = parse_prompt_schedule(place.prompt, steps).size() == 1 &&
                       parse_prompt_terms(place.prompt).size() == 1;
    check(plain,
          "interpolate: prompts that change over the steps ([a:b:0.5]) or are joined by AND cannot be "
          "mixed; got '",
          place.prompt, "'");
  }
}

}  // namespace

Denoiser compose_terms(Denoiser all, std::vector<double> weights, int64_t after) {
  return [all = std::move(all), weights = std::move(weights), after](const torch::Tensor& x,
                                                                     const torch::Tensor& sigma) {
    const auto terms = static_cast<int64_t>(weights.size());
    const auto repeated = [&](const torch::Tensor& t) {
      const auto one = t.chunk(2 + after)[0];
      return at::cat(std::vector<at::Tensor>(static_cast<size_t>(1 + terms + after), one));
    };
    const auto parts = all(repeated(x), repeated(sigma)).chunk(1 + terms + after);
    auto composed = parts[0];
    for (size_t i = 0; i < weights.size(); ++i) composed = composed + weights[i] * (parts[1 + i] - parts[0]);
    std::vector<at::Tensor> out{parts[0], composed};
    out.insert(out.end(), parts.begin() + 1 + terms, parts.end());
    return at::cat(out);
  };
}

BoundModel bind_prompt(const LatentDiffusion& model, const GenerateRequest& r, int64_t steps, int64_t first,
                       int64_t n, bool guided, const std::optional<TileOptions>& tiles) {
  check_path(r, steps);
  const bool words = model.conditioner() != nullptr && model.conditioner()->takes_words();
  const auto phases = words ? phases_of(r, steps) : std::vector<PromptTexts>{{.last_step = steps}};
  const PhaseBinder binder(model, r, first, n, guided, tiles);
  std::map<std::pair<std::string, std::string>, PhaseModel> known;
  std::vector<std::pair<int64_t, Denoiser>> both, cond;
  for (const auto& texts : phases) {
    const std::pair key{texts.prompt, texts.negative};
    if (!known.contains(key)) known.emplace(key, binder.bind(texts));
    both.emplace_back(texts.last_step, known.at(key).both);
    cond.emplace_back(texts.last_step, known.at(key).cond);
  }
  auto step = std::make_shared<int64_t>(0);
  return {switching(std::move(both), step), switching(std::move(cond), step), step};
}

}  // namespace ldm
