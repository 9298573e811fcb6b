#include "ldm/model/embedding_file.h"

#include <ATen/ATen.h>

#include <string_view>
#include <utility>

#include "ldm/core/error.h"
#include "ldm/io/printable.h"
#include "ldm/model/word_learner.h"

namespace ldm {
namespace {

constexpr std::string_view kParams = "string_to_param.";

torch::Tensor as_vectors(const torch::Tensor& tensor) {
  check((tensor.dim() == 1 || tensor.dim() == 2) && tensor.numel() > 0 && tensor.is_floating_point(),
        ErrorKind::kFormat, "textual inversion: expected vectors [n, width], got ", tensor.sizes());
  return tensor.dim() == 1 ? tensor.unsqueeze(0) : tensor;
}

// "*" is where the word stood in training captions, not its name.
std::string proper_name(const std::string& name) { return name == "*" ? std::string() : name; }

// {token: tensor}, or string_to_param of one word.
LearnedWordFile read_only_tensor(const WeightFile& file) {
  const auto first = file.tensors.lower_bound(std::string(kParams));
  const bool nested = first != file.tensors.end() && first->first.starts_with(kParams);
  const auto& tensors = file.tensors;
  if (nested) {
    const auto next = std::next(first);
    check(next == tensors.end() || !next->first.starts_with(kParams), ErrorKind::kFormat,
          "textual inversion: expected one word in a file, got more");
    const auto inside = file.metadata.find("name");
    return {.name = inside != file.metadata.end() ? inside->second
                                                  : proper_name(first->first.substr(kParams.size())),
            .vectors = {as_vectors(first->second)}};
  }
  check(tensors.size() == 1, ErrorKind::kFormat,
        "textual inversion: expected string_to_param, emb_params, clip_l and clip_g, or one tensor of "
        "vectors, got ",
        tensors.size(), " tensors");
  const auto& [name, vectors] = *tensors.begin();
  return {.name = proper_name(name), .vectors = {as_vectors(vectors)}};
}

std::vector<WordLearner*> word_learners(const LatentDiffusion& model) {
  std::vector<WordLearner*> out;
  if (model.conditioner() == nullptr) return out;
  for (const auto& module : model.conditioner()->modules()) {
    if (auto* learner = dynamic_cast<WordLearner*>(module.get())) out.push_back(learner);
  }
  return out;
}

std::string widths_of(const std::vector<WordLearner*>& learners) {
  std::string out;
  for (const auto* learner : learners)
    out += (out.empty() ? "" : " and ") + std::to_string(learner->word_width());
  return out;
}

void check_widths(const LearnedWordFile& file, const std::vector<WordLearner*>& learners) {
  bool fits = file.vectors.size() == learners.size();
  std::string got;
  for (size_t i = 0; i < file.vectors.size(); ++i) {
    const auto width = file.vectors[i].size(1);
    fits = fits && width == learners[i]->word_width();
    got += (got.empty() ? "" : " and ") + std::to_string(width);
  }
  check(fits, ErrorKind::kFormat, "it has vectors of width ", got, ", this model's text encoder ",
        widths_of(learners), "; it was made for another kind of model");
}

std::vector<std::string> learn(LatentDiffusion& model, const LearnedWordFile& file, const std::string& stem) {
  const auto learners = word_learners(model);
  check(!learners.empty(), "this model reads no prompts, so it cannot learn a word");
  check_widths(file, learners);
  std::vector<std::string> names{stem};
  if (!file.name.empty() && file.name != stem) names.push_back(file.name);
  for (size_t i = 0; i < learners.size(); ++i) learners[i]->learn_word(names, file.vectors[i]);
  return names;
}

}  // namespace

LearnedWordFile read_learned_word(const WeightFile& file) {
  const auto find = [&](const char* name) { return file.tensors.find(name); };
  const auto end = file.tensors.end();
  if (const auto found = find("emb_params"); found != end)
    return {.name = {}, .vectors = {as_vectors(found->second)}};
  const auto first = find("clip_l"), second = find("clip_g");
  if (first != end && second != end) {
    LearnedWordFile out{.name = {}, .vectors = {as_vectors(first->second), as_vectors(second->second)}};
    check(out.vectors[0].size(0) == out.vectors[1].size(0), ErrorKind::kFormat,
          "textual inversion: expected clip_l and clip_g to have as many vectors, got ",
          out.vectors[0].size(0), " and ", out.vectors[1].size(0));
    return out;
  }
  return read_only_tensor(file);
}

std::vector<std::string> add_learned_word(LatentDiffusion& model, const std::filesystem::path& path) {
  torch::NoGradGuard no_grad;
  try {
    return learn(model, read_learned_word(read_weight_file(path)), path.stem().string());
  } catch (const Error& error) {
    const std::string text = error.what();
    throw Error(error.kind(), text.starts_with(path.string()) ? text : path.string() + ": " + text);
  }
}

}  // namespace ldm
